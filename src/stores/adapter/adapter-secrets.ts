import type { Keyv } from 'keyv';
import { isInMemory } from '../memory/in-memory.ts';

/** The shortest secret, in characters or bytes. */
const MIN_LENGTH = 32;

/** Options of `keyvAdapter`. */
export interface KeyvAdapterOptions {
  /**
   * Keys that encrypt the records and hide their ids: at least 32 characters or bytes each. The first one encrypts, all
   * of them decrypt. All nodes need the same list. With several nodes, add a new key at the end, and move it to the
   * front when all nodes have it (docs/operations.md, "Keys on many nodes").
   * @default none: a reader of the store learns the secrets of registered clients, and can guess user codes
   */
  secrets?: readonly (string | Uint8Array)[];
}

/**
 * Returns the secrets, or none if the option is not set.
 * @throws TypeError unless each secret is long enough
 */
export function checkAdapterSecrets({ secrets }: KeyvAdapterOptions): readonly (string | Uint8Array)[] {
  if (secrets === undefined) return [];
  const given: unknown = secrets;
  if (Array.isArray(given) && given.length > 0 && given.every(isLongEnough)) return secrets;
  throw new TypeError(
    `keyvAdapter: secrets must be a list of texts with at least ${MIN_LENGTH} characters each; make one with: openssl rand -base64 32`,
  );
}

let hasWarned = false;

/**
 * Warns once that a copy of this store would contain usable secrets. It does not warn about a Keyv in memory, which
 * cannot be copied without access to the process.
 */
export function warnReadable(keyv: Keyv): void {
  if (hasWarned || isInMemory(keyv)) return;
  hasWarned = true;
  process.emitWarning(
    'a copy of the store reveals the secrets of registered clients and the codes of devices: set keyvAdapter(store, { secrets: [process.env.STORE_KEY] }); make one with: openssl rand -base64 32',
    { type: 'QrLoginWarning', code: 'QR_LOGIN_READABLE' },
  );
}

function isLongEnough(secret: unknown): boolean {
  return (typeof secret === 'string' || secret instanceof Uint8Array) && secret.length >= MIN_LENGTH;
}
