import type { Clock } from '../../ticket/ports.ts';
import { SharedRateLimit } from '../rate-limit.ts';
import type { MakeKeyvEngine } from '../store-engine.ts';
import { WriteProbe } from '../write-probe.ts';
import { redisOf } from './client.ts';
import { RedisKeyNames } from './key-names.ts';
import { RedisLink } from './link.ts';
import { RedisBrowserList } from './lists/browser-list.ts';
import { RedisPendingRequests } from './lists/pending-requests.ts';
import { RedisNotes } from './notes.ts';
import { countInRedis } from './rate-limit.ts';
import { RefusedSignals } from './refused-signals.ts';
import { RedisSignals } from './signals.ts';
import { RedisTicketStore } from './ticket-store.ts';

/** Makes the engine that uses the Redis below a Keyv. This engine serves any number of processes. */
export const makeRedisEngine: MakeKeyvEngine = (keyv, clock, { onTrouble, onLate }) => {
  const redis = redisOf(keyv);
  if (redis === undefined) return undefined;
  const link = RedisLink.forClient(redis);
  const keys = new RedisKeyNames(redis.prefix);
  const now: Clock = () => clock() + link.ahead;
  const refused = new RefusedSignals(keys.channels, onTrouble);
  const onRefusal = (reason: string): void => refused.report(reason);
  const signals = new RedisSignals(link, keys, onRefusal);
  const probe = new WriteProbe(() => link.probe(keys.probe));
  const stopReporting = link.onTrouble(onTrouble);
  return {
    name: 'redis',
    store: new RedisTicketStore(link, keys, now, { onLate, onUnpublished: onRefusal }),
    notes: new RedisNotes(link, keys),
    browsers: new RedisBrowserList(link, (accountId) => keys.browsers(accountId), now),
    known: new RedisBrowserList(link, (accountId) => keys.known(accountId), now),
    subscriptions: new RedisBrowserList(link, (accountId) => keys.subscriptions(accountId), now),
    requests: new RedisPendingRequests(link, keys),
    signals,
    clock: now,
    rateLimit: (name, rate) => new SharedRateLimit(countInRedis(link, keys, name, rate)),
    ping: async () => void (await Promise.all([link.ping(), probe.assertWritable()])),
    hearsOthers: () => signals.isUp,
    close: async () => {
      await signals.close();
      stopReporting();
    },
  };
};
