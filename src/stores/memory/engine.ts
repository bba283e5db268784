import type { Keyv } from 'keyv';
import type { Clock } from '../../ticket/ports.ts';
import { LocalSignals } from '../local-signals.ts';
import { LocalRateLimit } from '../rate-limit.ts';
import type { StoreEngine } from '../store-engine.ts';
import { KeyvBrowserList } from './browser-list.ts';
import { sweepExpired } from './expiry-sweep.ts';
import { isInMemory } from './in-memory.ts';
import { KeyvNotes } from './notes.ts';
import { KeyvPendingRequests } from './pending-requests.ts';
import { KeyvTicketStore } from './ticket-store.ts';

/** Makes the engine that uses any Keyv. This engine serves one process. */
export function makeKeyvEngine(keyv: Keyv, clock: Clock): StoreEngine {
  if (!isInMemory(keyv)) warnOneProcess();
  const signals = new LocalSignals();
  const store = new KeyvTicketStore(keyv, clock, signals);
  const notes = new KeyvNotes(keyv);
  const stopSweep = sweepExpired(keyv);
  return {
    name: isInMemory(keyv) ? 'memory' : 'keyv',
    store,
    notes,
    browsers: new KeyvBrowserList(keyv, 'browsers', clock),
    known: new KeyvBrowserList(keyv, 'known', clock),
    subscriptions: new KeyvBrowserList(keyv, 'subscriptions', clock),
    requests: new KeyvPendingRequests(keyv, clock),
    signals,
    clock,
    rateLimit: (_name, rate) => new LocalRateLimit(rate),
    ping: () => store.ping(),
    hearsOthers: () => true,
    close: async () => stopSweep(),
  };
}

function warnOneProcess(): void {
  process.emitWarning(
    'this store cannot compare and swap, so it serves one process only: do not start a second one on it; a Keyv over @keyv/redis serves many',
    { type: 'QrLoginWarning', code: 'QR_LOGIN_ONE_PROCESS' },
  );
}
