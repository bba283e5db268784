import type { Clock } from '../../ticket/ports.ts';
import { SharedRateLimit } from '../rate-limit.ts';
import type { MakeKeyvEngine } from '../store-engine.ts';
import { RedisBrowserList } from './browser-list.ts';
import { redisOf } from './client.ts';
import { RedisKeyNames } from './key-names.ts';
import { RedisLink } from './link.ts';
import { RedisNotes } from './notes.ts';
import { countInRedis } from './rate-limit.ts';
import { RedisSignals } from './signals.ts';
import { RedisTicketStore } from './ticket-store.ts';

/** Makes the engine on the Redis below a Keyv, which serves any number of processes. */
export const makeRedisEngine: MakeKeyvEngine = (keyv, clock, { onTrouble, onLate }) => {
  const redis = redisOf(keyv);
  if (redis === undefined) return undefined;
  const link = RedisLink.forClient(redis);
  const keys = new RedisKeyNames(redis.prefix);
  const now: Clock = () => clock() + link.ahead;
  const signals = new RedisSignals(link, keys);
  const calm = link.onTrouble(onTrouble);
  return {
    name: 'redis',
    store: new RedisTicketStore(link, keys, now, onLate),
    notes: new RedisNotes(link, keys),
    browsers: new RedisBrowserList(link, (accountId) => keys.browsers(accountId), now),
    known: new RedisBrowserList(link, (accountId) => keys.known(accountId), now),
    signals,
    clock: now,
    rateLimit: (name, rate) => new SharedRateLimit(countInRedis(link, keys, name, rate)),
    ping: () => link.ping(),
    hearsOthers: () => signals.isUp,
    close: async () => {
      await signals.close();
      calm();
    },
  };
};
