import type { Keyv } from 'keyv';
import { ownFormatOf } from '../keyv-format.ts';
import { asKeyv6 } from '../keyv-version.ts';

/** Keys and arguments of a script. */
export interface ScriptCall {
  readonly keys: string[];
  readonly arguments: string[];
}

/** The part of a client of `@redis/client` that is used here: for a single server, a Sentinel or a cluster. */
export interface RedisClient {
  readonly isOpen: boolean;
  /** Undefined for a cluster's client. */
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  destroy(): void | Promise<void>;
  close(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect' | 'ready', listener: () => void): unknown;
  get(key: string): Promise<string | null>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  configGet(setting: string): Promise<Readonly<Record<string, string>>>;
  info(section: string): Promise<string>;
  evalSha(sha: string, call: ScriptCall): Promise<unknown>;
  eval(source: string, call: ScriptCall): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Undefined for a Sentinel's client. */
  duplicate?(): RedisClient;
  /** Returns a client that drops its unsent commands when the signal aborts. Only a single server's client has it. */
  withAbortSignal?(signal: AbortSignal): RedisClient;
}

/** The part of the backend of `@keyv/redis` that is used here. */
interface KeyvRedis {
  readonly client: RedisClient;
  readonly namespace?: string | undefined;
}

/** The Redis client and the key prefix of a Keyv over `@keyv/redis`. */
export interface RedisOfKeyv {
  readonly client: RedisClient;
  /** The prefix of all its keys. */
  readonly prefix: string;
}

/**
 * Returns the client and prefix of a Keyv over `@keyv/redis`; undefined for any other Keyv. It looks for the methods of
 * the client and not for its class, because a second copy of the package may be installed.
 * @throws TypeError if the Keyv has parts that would be bypassed
 */
export function redisOf(keyv: Keyv): RedisOfKeyv | undefined {
  const backend = backendOf(keyv);
  if (!isKeyvRedis(backend)) return undefined;
  assertNothingIsBypassed(keyv);
  const namespace = keyv.namespace || backend.namespace || defaultNamespaceOf(keyv);
  return { client: backend.client, prefix: namespace ? `${namespace}:` : '' };
}

/** Returns the backend that the deployment gave to the Keyv. Keyv 6 wraps a backend of Keyv 5 in one of its own. */
function backendOf({ store }: Keyv): unknown {
  const backend: unknown = store;
  const isBridge = typeof backend === 'object' && backend !== null && 'store' in backend && !isKeyvRedis(backend);
  return isBridge ? backend.store : backend;
}

/**
 * Returns the default namespace of Keyv 5 for a Keyv 6, which has none of its own, so that keys stay the same after an
 * upgrade. Returns undefined for a Keyv 5.
 */
function defaultNamespaceOf(keyv: Keyv): string | undefined {
  return asKeyv6(keyv) === undefined ? undefined : 'keyv';
}

/**
 * Refuses a Keyv over `@keyv/redis` whose own serializer, compression, hooks or methods would be bypassed, because the
 * plugin sends its commands to Redis itself. A deployment that encrypts in one of them must not store plain text.
 * @throws TypeError that names these parts
 */
export function assertNothingIsBypassed(keyv: Keyv): void {
  const backend = backendOf(keyv);
  if (!isKeyvRedis(backend)) return;
  const parts = [...ownFormatOf(keyv), ...findOverrides(backend)];
  if (parts.length === 0) return;
  throw new TypeError(
    `the Keyv over Redis has its own ${parts.join(', ')}, which would have no effect: the plugin writes its records to Redis itself; use new Keyv({ store: new KeyvRedis(…) }) without that, or a Keyv over another store`,
  );
}

/** Returns the methods that a subclass has replaced: they differ from those of the class that defines `client`. */
function findOverrides(backend: KeyvRedis): string[] {
  let original: object = backend;
  while (!Object.hasOwn(original, 'client')) original = Object.getPrototypeOf(original);
  const methods = ['get', 'set'].filter((name) => Reflect.get(backend, name) !== Reflect.get(original, name, backend));
  return methods.map((name) => `${name}()`);
}

function isKeyvRedis(backend: unknown): backend is KeyvRedis {
  if (typeof backend !== 'object' || backend === null || !('client' in backend)) return false;
  const { client } = backend;
  return typeof client === 'object' && client !== null && 'evalSha' in client && 'subscribe' in client;
}
