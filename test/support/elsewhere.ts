/** Stands for a store outside of this process, which may be slow, silent or broken. */
import { Keyv } from 'keyv';

export interface Access {
  readonly operation: 'get' | 'set' | 'delete';
  readonly key: string;
}

export class Elsewhere {
  /** What each access waits for; what it throws, the access does. */
  before: (access: Access) => Promise<void> = async () => undefined;
  readonly #values = new Map<string, unknown>();

  static keyv(): { store: Keyv; elsewhere: Elsewhere } {
    const elsewhere = new Elsewhere();
    return { store: new Keyv({ store: elsewhere }), elsewhere };
  }

  /**
   * Those accesses get no answer from now on, unless they are let go: then they are made, as late as that.
   * @returns the function that lets them go
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
