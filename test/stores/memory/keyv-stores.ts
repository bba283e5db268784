/** Keyv backends that are no Map, so that the plugin does not treat the Keyv as in-memory. */
import { Keyv } from 'keyv';
import { newKeyv6 } from '../../support/keyv6.ts';

/** A backend that answers one turn of the event loop later, like a backend behind a network, and counts its reads. */
export class RemoteBackend {
  readonly records: Map<string, string> = new Map();
  asked = 0;

  async get(key: string): Promise<string | undefined> {
    this.asked += 1;
    await nextTurn();
    return this.records.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    await nextTurn();
    this.records.set(key, value);
  }

  async delete(key: string): Promise<boolean> {
    await nextTurn();
    return this.records.delete(key);
  }

  async clear(): Promise<void> {
    this.records.clear();
  }
}

/** A backend whose `get`, `set` or both can fail. `delete` always works. */
export class FlakyBackend extends RemoteBackend {
  down: 'nothing' | 'reads' | 'writes' | 'everything' = 'nothing';

  override async get(key: string): Promise<string | undefined> {
    if (this.down === 'reads' || this.down === 'everything') throw new Error('out of reach');
    return super.get(key);
  }

  override async set(key: string, value: string): Promise<void> {
    if (this.down === 'writes' || this.down === 'everything') throw new Error('out of reach');
    return super.set(key, value);
  }
}

export function keyvOver(backend: RemoteBackend, throwOnErrors = true): Keyv {
  const keyv = new Keyv({ store: backend, throwOnErrors });
  keyv.on('error', () => undefined);
  return keyv;
}

export function keyv6Over(backend: RemoteBackend): Keyv {
  const keyv = newKeyv6({ store: backend });
  keyv.on('error', () => undefined);
  return keyv;
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A backend that can hang. While it hangs, it never answers, neither with a result nor with an error. */
export class HangingBackend extends RemoteBackend {
  hangs = false;

  override get(key: string): Promise<string | undefined> {
    return this.hangs ? never() : super.get(key);
  }

  override set(key: string, value: string): Promise<void> {
    return this.hangs ? never() : super.set(key, value);
  }

  override delete(key: string): Promise<boolean> {
    return this.hangs ? never() : super.delete(key);
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
