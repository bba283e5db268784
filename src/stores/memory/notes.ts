import type { Keyv } from 'keyv';
import type { Notes } from '../../ticket/ports.ts';
import { Access } from '../access.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import { type Values, valuesOf } from './values.ts';

/** Notes in any Keyv. */
export class KeyvNotes implements Notes {
  readonly #values: Values;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;

  constructor(keyv: Keyv) {
    this.#values = valuesOf(keyv);
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
  }

  async write(name: string, lasts: number, value: string = '1'): Promise<void> {
    const key = noteKey(name);
    await this.#access.make('note', () => this.#values.set(key, value, lasts));
  }

  /** Claims a name. A mutex makes reading and writing one step, because there is one process only. */
  claim(name: string, lasts: number): Promise<boolean> {
    const key = noteKey(name);
    return this.#access.make('claim', () =>
      this.#mutex.run(key, async () => {
        if ((await this.#values.get<string>(key)) !== undefined) return false;
        await this.#values.set(key, '1', lasts);
        return true;
      }),
    );
  }

  read(name: string): Promise<string | undefined> {
    return this.#access.make('find', () => this.#values.get<string>(noteKey(name)));
  }
}

function noteKey(name: string): string {
  return `note:${name}`;
}
