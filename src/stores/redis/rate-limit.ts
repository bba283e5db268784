import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { getStorePatience, withDeadline } from '../deadline.ts';
import type { Rate } from '../rate-limit.ts';
import type { ScriptCall } from './client.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { COUNT } from './scripts.ts';

/**
 * Counting may take only this part of the store's patience (250 ms by default): it must not delay a request for long.
 */
const PART_OF_PATIENCE = 1 / 4;

/**
 * Returns a limiter for which all processes count together. While Redis does not answer, each process counts by itself.
 * A key that is over the limit is remembered in this process, so that its next requests are refused without asking
 * Redis.
 */
export function countInRedis(link: RedisLink, keys: RedisKeyNames, name: string, rate: Rate): RateLimiterRedis {
  return new RateLimiterRedis({
    storeClient: { eval: (_source: string, call: ScriptCall) => count(link, call) },
    useRedisPackage: true,
    customIncrTtlLuaScript: COUNT.source,
    keyPrefix: keys.limit(name),
    points: rate.times,
    duration: rate.within,
    inMemoryBlockOnConsumed: rate.times + 1,
    insuranceLimiter: new RateLimiterMemory({ points: rate.times, duration: rate.within }),
  });
}

function count(link: RedisLink, { keys, arguments: values }: ScriptCall): Promise<unknown> {
  return withDeadline(link.run(COUNT, keys, values), PART_OF_PATIENCE * getStorePatience());
}
