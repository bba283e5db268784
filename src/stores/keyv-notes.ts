import type { Keyv } from 'keyv';
import type { Notes } from '../ticket/ports.ts';
import { Access } from './access.ts';
import { ExpirySweep, isInMemory } from './expiry-sweep.ts';
import { failLoudly, write } from './fail-loudly.ts';

/** Notes in any Keyv. */
export class KeyvNotes implements Notes {
  readonly #keyv: Keyv;
  readonly #access: Access;
  readonly #sweep: ExpirySweep;

  constructor(keyv: Keyv) {
    this.#keyv = failLoudly(keyv);
    this.#access = new Access(isInMemory(keyv) ? 'memory' : 'keyv');
    this.#sweep = new ExpirySweep(keyv);
  }

  async write(name: string, lasts: number, value: string = '1'): Promise<void> {
    const key = noteKey(name);
    await this.#access.make('note', () => write(this.#keyv, key, value, lasts));
    this.#sweep.watch(key, lasts);
  }

  read(name: string): Promise<string | undefined> {
    return this.#access.make('find', () => this.#keyv.get<string>(noteKey(name)));
  }

  close(): void {
    this.#sweep.stop();
  }
}

function noteKey(name: string): string {
  return `note:${name}`;
}
