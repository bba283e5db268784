import type { SecretKeys } from '../../ticket/secret-keys.ts';

/** A kind of entry in the store. One name stands for a different entry in each kind. */
export type EntryKind = 'note' | 'browsers' | 'known' | 'requests' | 'subscriptions' | RecordKind | `limit ${string}`;

/**
 * Lists for operators. They are stored like the known browsers of an account, so that each engine has them: bounded, and
 * each step atomic.
 */
export type RecordKind = 'blocks' | 'all blocks' | 'app grants' | 'activity';

/** The keys of one entry. */
export interface EntryKeys {
  /** The key under which the entry is written. */
  readonly current: string;
  /** The keys under which it may have been written before: those made with older secrets, and its readable name. */
  readonly older: readonly string[];
}

const PREFIX = 'mac:';
const MAC_KEY = /^mac:[\w-]{43}$/;

/**
 * Makes the keys of an issuer's entries in the store: MACs of the names, which contain account ids and network
 * addresses. A reader of the store cannot tell to which account an entry belongs, and another issuer does not find it.
 */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #secrets: SecretKeys;

  constructor(issuer: string, secrets: SecretKeys) {
    this.#issuer = issuer;
    this.#secrets = secrets;
  }

  /** Returns the key that the first secret makes. Use it for entries that may begin anew when the secrets change. */
  currentKey(kind: EntryKind, name: string): string {
    return toKey(this.#secrets.mac('store key', this.#issuer, kind, name));
  }

  /** Returns the keys of an entry that has to be found after the secrets have changed. */
  keysOf(kind: EntryKind, name: string): EntryKeys {
    const [current = '', ...older] = this.#secrets.candidates('store key', this.#issuer, kind, name).map(toKey);
    // Earlier versions used the name as the key. A name in the form of a MAC is not looked up: an account that
    // chose such an id would get the entries of the account whose MAC it is.
    return { current, older: MAC_KEY.test(name) ? older : [...older, name] };
  }

  /** Returns the keys of a list that was never stored under its readable name. */
  recordKeysOf(kind: RecordKind, name: string): EntryKeys {
    const [current = '', ...older] = this.#secrets.candidates('store key', this.#issuer, kind, name).map(toKey);
    return { current, older };
  }
}

function toKey(mac: Buffer): string {
  return PREFIX + mac.toString('base64url');
}
