import type { Keyv } from 'keyv';
import type { Clock, Notes, Signals, TicketStore } from '../ticket/ports.ts';
import type { SignedInBrowsers } from '../ticket/signed-in-browser.ts';
import type { Ticket } from '../ticket/ticket.ts';
import { LocalSignals } from './local-signals.ts';
import { sweepExpired } from './memory/expiry-sweep.ts';
import { isInMemory } from './memory/in-memory.ts';
import { KeyvNotes } from './memory/notes.ts';
import { KeyvSignedInBrowsers } from './memory/signed-in-browsers.ts';
import { KeyvTicketStore } from './memory/ticket-store.ts';
import { LocalRateLimit, type Rate, type RateLimit, SharedRateLimit } from './rate-limit.ts';
import { type RedisOfKeyv, redisOf } from './redis/client.ts';
import { RedisKeyNames } from './redis/key-names.ts';
import { RedisLink } from './redis/link.ts';
import { RedisNotes } from './redis/notes.ts';
import { countInRedis } from './redis/rate-limit.ts';
import { RedisSignals } from './redis/signals.ts';
import { RedisSignedInBrowsers } from './redis/signed-in-browsers.ts';
import { RedisTicketStore } from './redis/ticket-store.ts';

/** Keeps tickets and announces their changes: in this process, or in Redis for any number of processes. */
export interface Engine {
  readonly name: 'memory' | 'keyv' | 'redis';
  readonly store: TicketStore;
  readonly notes: Notes;
  readonly browsers: SignedInBrowsers;
  readonly signals: Signals;
  /** The clock that all processes on this store agree on. */
  readonly clock: Clock;
  readonly rateLimit: (name: string, rate: Rate) => RateLimit;
  /** Asks the store for any answer. @throws QrLoginError `store_unavailable` if it does not answer in time */
  readonly ping: () => Promise<void>;
  /** Returns true if changes that other processes make arrive here. */
  readonly hearsOthers: () => boolean;
  readonly close: () => Promise<void>;
}

/** Callbacks for things that happen outside of any request. */
export interface BackgroundCallbacks {
  /** Called when something went wrong in the background. */
  readonly onTrouble: (error: Error) => void;
  /** Called when a ticket was written after its caller had already got an error. */
  readonly onLate: (ticket: Ticket) => void;
}

export function engineFor(keyv: Keyv, clock: Clock, callbacks: BackgroundCallbacks): Engine {
  const redis = redisOf(keyv);
  return redis === undefined ? keyvEngine(keyv, clock) : redisEngine(redis, clock, callbacks);
}

function keyvEngine(keyv: Keyv, clock: Clock): Engine {
  if (!isInMemory(keyv)) warnOneProcess();
  const signals = new LocalSignals();
  const store = new KeyvTicketStore(keyv, clock, signals);
  const notes = new KeyvNotes(keyv);
  const browsers = new KeyvSignedInBrowsers(keyv, clock);
  const stopSweep = sweepExpired(keyv);
  return {
    name: isInMemory(keyv) ? 'memory' : 'keyv',
    store,
    notes,
    browsers,
    signals,
    clock,
    rateLimit: (_name, rate) => new LocalRateLimit(rate),
    ping: () => store.ping(),
    hearsOthers: () => true,
    close: async () => stopSweep(),
  };
}

function redisEngine(redis: RedisOfKeyv, clock: Clock, { onTrouble, onLate }: BackgroundCallbacks): Engine {
  const link = RedisLink.forClient(redis);
  const keys = new RedisKeyNames(redis.prefix);
  const now: Clock = () => clock() + link.ahead;
  const signals = new RedisSignals(link, keys);
  const calm = link.onTrouble(onTrouble);
  return {
    name: 'redis',
    store: new RedisTicketStore(link, keys, now, onLate),
    notes: new RedisNotes(link, keys),
    browsers: new RedisSignedInBrowsers(link, keys, now),
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
}

function warnOneProcess(): void {
  process.emitWarning(
    'this store cannot compare and swap, so it serves one process only: do not start a second one on it; a Keyv over @keyv/redis serves many',
    { type: 'QrLoginWarning', code: 'QR_LOGIN_ONE_PROCESS' },
  );
}
