import type { Notes } from '../../ticket/ports.ts';
import type { IssuerKeys } from './issuer-keys.ts';

/** The notes of an issuer. They are written under the current key, and read under the older ones as well. */
export class IssuerNotes implements Notes {
  readonly #notes: Notes;
  readonly #keys: IssuerKeys;

  constructor(notes: Notes, keys: IssuerKeys) {
    this.#notes = notes;
    this.#keys = keys;
  }

  write(name: string, lasts: number, value?: string): Promise<void> {
    return this.#notes.write(this.#keys.currentKey('note', name), lasts, value);
  }

  /**
   * Claims a name under the current key only. After a change of keys, a name that was claimed shortly before can
   * therefore be claimed once more.
   */
  claim(name: string, lasts: number): Promise<boolean> {
    return this.#notes.claim(this.#keys.currentKey('note', name), lasts);
  }

  async read(name: string): Promise<string | undefined> {
    const { current, older } = this.#keys.keysOf('note', name);
    const texts = await Promise.all([current, ...older].map((key) => this.#notes.read(key)));
    return texts.find((text) => text !== undefined);
  }
}
