/** Simulates a store outside of this process, which may be slow, silent or broken. */
import { Keyv } from 'keyv';

export interface Access {
  readonly operation: 'get' | 'set' | 'delete';
  readonly key: string;
}

export class Elsewhere {
  /** A hook that each access waits for. If the hook throws, the access throws the same. */
  before: (access: Access) => Promise<void> = async () => undefined;
  readonly #values = new Map<string, unknown>();

  static keyv(): { store: Keyv; elsewhere: Elsewhere } {
    const elsewhere = new Elsewhere();
    return { store: new Keyv({ store: elsewhere }), elsewhere };
  }

  /**
   * Holds back the accesses that match, from now on. They continue when the returned function is called.
   * @returns the function that releases them
   */
  hang(which: (access: Access) => boolean = () => true): () => void {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.before = async (access) => {
      if (which(access)) await released;
    };
    return () => {
      this.before = async () => undefined;
      release();
    };
  }

  async get(key: string): Promise<unknown> {
    await this.before({ operation: 'get', key });
    return this.#values.get(key);
  }

  async set(key: string, value: unknown): Promise<void> {
    await this.before({ operation: 'set', key });
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<boolean> {
    await this.before({ operation: 'delete', key });
    return this.#values.delete(key);
  }

  async clear(): Promise<void> {
    this.#values.clear();
  }
}
