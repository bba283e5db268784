/** All kinds of stores in which the records of oidc-provider can be kept. */
import { randomUUID } from 'node:crypto';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { isFullSuite } from '../../support/full-suite.ts';
import { newKeyv6 } from '../../support/keyv6.ts';
import { RedisServer } from '../../support/redis.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import { keyv6Over, keyvOver, RemoteBackend } from '../memory/keyv-stores.ts';

/** The same records, as two nodes see them. If a store serves one process only, both are the same adapter. */
export interface TwoNodes {
  readonly one: AdapterFactory;
  readonly other: AdapterFactory;
}

export interface AdapterBackend {
  /** Opens adapters over an empty store, separate from the adapters of earlier calls. */
  open(): TwoNodes;
  stop(): Promise<void>;
}

export const IN_MEMORY = 'a Keyv in memory';

export const ADAPTER_BACKENDS: Readonly<Record<string, () => Promise<AdapterBackend>>> = {
  [IN_MEMORY]: async () => inOneProcess(() => new Keyv()),
  'a Keyv behind a network': async () => inOneProcess(() => keyvOver(new RemoteBackend())),
  // Left out of the short suite, where the tests of the plugin's engines already show that a Keyv 6 works.
  ...(isFullSuite && {
    'a Keyv 6 in memory': async () => inOneProcess(() => newKeyv6()),
    'a Keyv 6 behind a network': async () => inOneProcess(() => keyv6Over(new RemoteBackend())),
  }),
  Redis: async () => {
    const server = await RedisServer.start();
    return inRedis(server.url, () => server.stop());
  },
  'a Redis Cluster of three masters': async () => {
    const cluster = await startRedisCluster();
    return inRedis(cluster, () => cluster.stop());
  },
};

/** The address for `@keyv/redis`: a URL, or the members of a cluster. */
type Address = string | { readonly rootNodes: { url: string }[] };

/** Returns a Keyv with its own client, which `disconnect()` closes. */
export function redisKeyv(address: Address, namespace: string): Keyv {
  return keyvIn(newConnection(address), namespace);
}

/** Returns a connection that any number of Keyvs can share, each in its own namespace. */
export function newConnection(address: Address): KeyvRedis<unknown> {
  return new KeyvRedis(typeof address === 'string' ? address : options(address));
}

export function keyvIn(connection: KeyvRedis<unknown>, namespace: string): Keyv {
  const keyv = new Keyv({ store: connection, namespace });
  keyv.on('error', () => undefined);
  return keyv;
}

/** Disconnects without QUIT: a client that is just reconnecting would wait until it can send QUIT. */
export async function cutOff(keyv: Keyv): Promise<void> {
  const backend: unknown = keyv.store;
  if (backend instanceof KeyvRedis) await backend.disconnect(true);
}

function options({ rootNodes }: { readonly rootNodes: { url: string }[] }): { rootNodes: { url: string }[] } {
  return { rootNodes };
}

function inOneProcess(makeKeyv: () => Keyv): AdapterBackend {
  return {
    open: () => {
      const adapter = keyvAdapter(makeKeyv());
      return { one: adapter, other: adapter };
    },
    stop: async () => undefined,
  };
}

function inRedis(address: Address, stop: () => Promise<void>): AdapterBackend {
  const [one, other] = [newConnection(address), newConnection(address)];
  return {
    open: () => {
      const namespace = randomUUID();
      return { one: keyvAdapter(keyvIn(one, namespace)), other: keyvAdapter(keyvIn(other, namespace)) };
    },
    stop: async () => {
      await Promise.all([one, other].map((connection) => connection.disconnect(true)));
      await stop();
    },
  };
}
