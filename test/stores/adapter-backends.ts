/** Everywhere that the records of oidc-provider may live. */
import { randomUUID } from 'node:crypto';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/keyv-adapter.ts';
import { RedisServer } from '../support/redis.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { keyvOver, RemoteBackend } from './keyv-stores.ts';

/** The same records, as two nodes see them. Where a store serves one process only, both are the same. */
export interface TwoNodes {
  readonly one: AdapterFactory;
  readonly other: AdapterFactory;
  close(): Promise<void>;
}

export interface AdapterBackend {
  /** Makes stores that know nothing of each other. */
  open(): TwoNodes;
  stop(): Promise<void>;
}

export const ADAPTER_BACKENDS: Readonly<Record<string, () => Promise<AdapterBackend>>> = {
  'a Keyv in memory': async () => inOneProcess(() => new Keyv()),
  'a Keyv behind a network': async () => inOneProcess(() => keyvOver(new RemoteBackend())),
  Redis: async () => {
    const server = await RedisServer.start();
    return inRedis(server.url, () => server.stop());
  },
  'a Redis Cluster of three masters': async () => {
    const cluster = await startRedisCluster();
    return inRedis(cluster, () => cluster.stop());
  },
};

/** What `@keyv/redis` has to know: a URL, or the members of a cluster. */
type Address = string | { readonly rootNodes: { url: string }[] };

/** A Keyv of its own client, which is closed by `disconnect()`. */
export function redisKeyv(address: Address, namespace: string): Keyv {
  const keyv = new Keyv({ store: new KeyvRedis(typeof address === 'string' ? address : options(address)), namespace });
  keyv.on('error', () => undefined);
  return keyv;
}

/** Without a good-bye, for which a client waits that is just being connected anew. */
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
      return { one: adapter, other: adapter, close: async () => undefined };
    },
    stop: async () => undefined,
  };
}

function inRedis(address: Address, stop: () => Promise<void>): AdapterBackend {
  return {
    open: () => {
      const namespace = randomUUID();
      const keyvs = [redisKeyv(address, namespace), redisKeyv(address, namespace)] as const;
      return {
        one: keyvAdapter(keyvs[0]),
        other: keyvAdapter(keyvs[1]),
        close: async () => {
          await Promise.all(keyvs.map((keyv) => keyv.disconnect()));
        },
      };
    },
    stop,
  };
}
