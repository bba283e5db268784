import type { Notes } from '../../ticket/ports.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { CLAIM, POINT } from './scripts.ts';

/** Notes in Redis, for any number of processes. */
export class RedisNotes implements Notes {
  readonly #link: RedisLink;
  readonly #keys: RedisKeyNames;

  constructor(link: RedisLink, keys: RedisKeyNames) {
    this.#link = link;
    this.#keys = keys;
  }

  async write(name: string, lasts: number, value: string = '1'): Promise<void> {
    await this.#link.run(POINT, [this.#keys.note(name)], [value, `${Math.max(1, Math.round(lasts))}`]);
  }

  async claim(name: string, lasts: number): Promise<boolean> {
    return (await this.#link.run(CLAIM, [this.#keys.note(name)], [`${Math.max(1, Math.round(lasts))}`])) !== null;
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#link.get(this.#keys.note(name))) ?? undefined;
  }
}
