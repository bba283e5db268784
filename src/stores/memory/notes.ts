import type { Keyv } from 'keyv';
import type { Notes } from '../../ticket/ports.ts';
import { Access } from '../access.ts';
import { type Values, valuesOf } from './values.ts';

/** Notes in any Keyv. */
export class KeyvNotes implements Notes {
  readonly #values: Values;
  readonly #access: Access;

  constructor(keyv: Keyv) {
    this.#values = valuesOf(keyv);
    this.#access = new Access(this.#values.engine, this.#values.patience);
  }

  async write(name: string, lasts: number, value: string = '1'): Promise<void> {
    const key = noteKey(name);
    await this.#access.make('note', () => this.#values.set(key, value, lasts));
  }

  read(name: string): Promise<string | undefined> {
    return this.#access.make('find', () => this.#values.get<string>(noteKey(name)));
  }
}

function noteKey(name: string): string {
  return `note:${name}`;
}
