import type { Keyv } from 'keyv';
import * as keyvPackage from 'keyv';
import { kindOf } from './value-kind.ts';

/**
 * A Keyv of any supported version, as the deployment passes it. Keyv's class has private fields, so the class of its ES
 * module, that of its CommonJS module and that of another version are different types to TypeScript.
 */
export interface AnyKeyv {
  readonly store: unknown;
  readonly namespace?: string | undefined;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
}

/** Returns the error for a Keyv that is too old: it cannot report errors to its callers. */
export function keyvTooOld(): TypeError {
  return new TypeError(
    'keyv is older than 5.6: npm install keyv@5 (npm ls keyv shows which package brings the old one)',
  );
}

/** The parts of a Keyv 6 that a Keyv 5 does not have, or has in another form. */
export interface Keyv6 {
  readonly store: unknown;
  readonly namespace: string | undefined;
  readonly ttl: number | undefined;
  readonly serialization: { readonly stringify: unknown; readonly parse: unknown } | undefined;
  readonly compression: unknown;
  readonly encryption: unknown;
  readonly hooks: ReadonlyMap<string, readonly unknown[]>;
  readonly sanitize: { readonly enabled: boolean };
  emit(event: string, ...values: unknown[]): unknown;
}

/**
 * Returns the Keyv as a Keyv 6; undefined for a Keyv 5. The types are those of one version, but either may be
 * installed, and the deployment's Keyv may come from a copy of its own.
 */
export function asKeyv6(keyv: Keyv): Keyv6 | undefined {
  const either: unknown = keyv;
  return hasPart<Keyv6>(either, 'serialization') ? either : undefined;
}

/**
 * Returns true for a Keyv 5 or 6. It does not use `instanceof`, because a Keyv from a second copy of the package must
 * pass.
 */
export function isKeyv(value: unknown): boolean {
  return hasGetAndSet(value) && ('throwOnErrors' in value || 'serialization' in value);
}

/** Returns true for a Keyv 4, whose options are all in `opts`. */
export function isKeyv4(value: unknown): boolean {
  return hasGetAndSet(value) && !isKeyv(value) && 'opts' in value;
}

/**
 * Ensures that keyvAdapter got a Keyv. A Map has the same methods, but no records that expire.
 * @throws TypeError if it is something else, or a Keyv that is too old
 */
export function assertKeyv(keyv: unknown): asserts keyv is Keyv {
  if (isKeyv4(keyv)) throw keyvTooOld();
  if (isKeyv(keyv)) return;
  throw new TypeError(
    `keyvAdapter needs a Keyv, not ${kindOf(keyv)}: keyvAdapter(new Keyv()) in memory, or keyvAdapter(new Keyv({ store: … })) over a backend`,
  );
}

/**
 * Makes a Keyv in memory.
 * @throws TypeError if the installed Keyv is too old. Its package has no export `Keyv`, so that an import by that name
 * would end the process with a SyntaxError.
 */
export function makeKeyv(): Keyv {
  const { Keyv: Installed }: { Keyv?: typeof Keyv } = keyvPackage;
  if (Installed === undefined) throw keyvTooOld();
  return new Installed();
}

function hasGetAndSet(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const { get, set }: { get?: unknown; set?: unknown } = value;
  return typeof get === 'function' && typeof set === 'function';
}

function hasPart<T>(value: unknown, part: keyof T & string): value is T {
  return typeof value === 'object' && value !== null && part in value;
}
