import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { getStorePatience, within } from '../access.ts';
import type { Rate } from '../rate-limit.ts';
import type { ScriptCall } from './client.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisLink } from './link.ts';
import { type Script, script } from './scripts.ts';

/** Counting is worth less than serving: it may take only this part of the time that the store may take, which makes 250 ms. */
const PART_OF_PATIENCE = 1 / 4;

/**
 * What all processes count together. Where Redis does not answer, each counts for itself meanwhile; whoever is over the limit is
 * remembered here, so that refusing costs Redis nothing.
 */
export function countInRedis(link: RedisLink, keys: RedisKeys, name: string, rate: Rate): RateLimiterRedis {
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

/** The limiter has one script, whatever it counts. */
let known: Script | undefined;

function count(link: RedisLink, source: string, { keys, arguments: values }: ScriptCall): Promise<unknown> {
  if (known?.source !== source) known = script('limit', source);
  return within(link.run(known, keys, values), PART_OF_PATIENCE * getStorePatience());
}
