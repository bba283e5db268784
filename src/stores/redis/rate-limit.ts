import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { getStorePatience, withDeadline } from '../deadline.ts';
import type { Rate } from '../rate-limit.ts';
import type { ScriptCall } from './client.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { type Script, script } from './scripts.ts';

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
    storeClient: { eval: (source: string, call: ScriptCall) => count(link, source, call) },
    useRedisPackage: true,
    keyPrefix: keys.limit(name),
    points: rate.times,
    duration: rate.within,
    inMemoryBlockOnConsumed: rate.times + 1,
    insuranceLimiter: new RateLimiterMemory({ points: rate.times, duration: rate.within }),
  });
}

/** The script of the last call. `rate-limiter-flexible` has one script for all limits, so its hash is computed once. */
let known: Script | undefined;

function count(link: RedisLink, source: string, { keys, arguments: values }: ScriptCall): Promise<unknown> {
  if (known?.source !== source) known = script('limit', source);
  return withDeadline(link.run(known, keys, values), PART_OF_PATIENCE * getStorePatience());
}
