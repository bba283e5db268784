/** The adapter of earlier versions: ids are part of the keys' names, and payloads are JSON. */
import type { Keyv } from 'keyv';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import { KeyvRecords } from '../../../src/stores/adapter/keyv-records.ts';
import type { Records } from '../../../src/stores/adapter/records.ts';
import { RedisRecords } from '../../../src/stores/adapter/redis-records.ts';
import { redisOf } from '../../../src/stores/redis/client.ts';
import { RedisLink } from '../../../src/stores/redis/link.ts';

/** Returns the records of a Keyv as they are stored. */
export function recordsIn(keyv: Keyv): Records {
  const redis = redisOf(keyv);
  return redis ? new RedisRecords(RedisLink.forClient(redis), redis.prefix) : new KeyvRecords(keyv);
}

/** @param belongsToGrant the models with records that are deleted with their grant */
export function earlierAdapter(keyv: Keyv, belongsToGrant: (model: string) => boolean): AdapterFactory {
  const records = recordsIn(keyv);
  return (model): Adapter => {
    const find = (id: string | undefined): Promise<AdapterPayload | undefined> =>
      id === undefined ? Promise.resolve(undefined) : records.get(`${model}:${id}`);
    return {
      upsert: async (id, payload, expiresIn) => {
        const ttl = expiresIn === undefined ? undefined : expiresIn * 1000;
        await records.put(`${model}:${id}`, payload, ttl, belongsToGrant(model) ? payload.grantId : undefined);
        if (model === 'Session' && payload.uid) await records.point(`uid:${payload.uid}`, id, ttl);
        if (payload.userCode) await records.point(`userCode:${payload.userCode}`, id, ttl);
      },
      find,
      findByUid: async (uid) => find(await records.follow(`uid:${uid}`)),
      findByUserCode: async (userCode) => find(await records.follow(`userCode:${userCode}`)),
      consume: async (id) => void (await records.consume(`${model}:${id}`, Math.floor(Date.now() / 1000))),
      destroy: async (id) => void (await records.take(`${model}:${id}`)),
      revokeByGrantId: (grantId) => records.revoke(grantId),
    };
  };
}
