import type { Keyv } from 'keyv';

/** Keys and arguments of a script. */
export interface ScriptCall {
  readonly keys: string[];
  readonly arguments: string[];
}

/** What is needed of a client of `@redis/client`: a single one, a Sentinel's or a cluster's. */
export interface RedisClient {
  readonly isOpen: boolean;
  /** A cluster's client does not say. */
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  destroy(): void | Promise<void>;
  close(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect' | 'ready', listener: () => void): unknown;
  get(key: string): Promise<string | null>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  evalSha(sha: string, call: ScriptCall): Promise<unknown>;
  eval(source: string, call: ScriptCall): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** A Sentinel's client has none. */
  duplicate?(): RedisClient;
  /** A single client has it: a command that was not sent yet when the signal comes is not sent at all. */
  withAbortSignal?(signal: AbortSignal): RedisClient;
}

/** The backend of `@keyv/redis`, as far as it is needed. */
interface KeyvRedis {
  readonly client: RedisClient;
  readonly namespace?: string | undefined;
}

/** Where a Keyv over `@keyv/redis` keeps its values. */
export interface RedisOfKeyv {
  readonly client: RedisClient;
  /** What all its keys begin with. */
  readonly prefix: string;
}

/** Undefined for a Keyv over anything else. It is known by what it can do, as there may be a second copy of the package. */
export function redisOf(keyv: Keyv): RedisOfKeyv | undefined {
  const backend: unknown = keyv.store;
  if (!isKeyvRedis(backend)) return undefined;
  const namespace = keyv.namespace || backend.namespace;
  return { client: backend.client, prefix: namespace ? `${namespace}:` : '' };
}

function isKeyvRedis(backend: unknown): backend is KeyvRedis {
  if (typeof backend !== 'object' || backend === null || !('client' in backend)) return false;
  const { client } = backend;
  return typeof client === 'object' && client !== null && 'evalSha' in client && 'subscribe' in client;
}
