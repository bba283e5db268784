import type { BrowserList, ListedBrowser } from '../ticket/browsers/browser-list.ts';
import type { Listener, Signals, TicketStore } from '../ticket/ports.ts';
import { isNewer } from '../ticket/record-format.ts';
import { Access } from './access.ts';
import type { BackgroundCallbacks, StoreEngine } from './store-engine.ts';
import { WriteProbe } from './write-probe.ts';

/** The functions that an engine must have, by the part that has them. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  store: ['create', 'find', 'findByInteraction', 'swap'],
  notes: ['write', 'read', 'claim'],
  browsers: ['put', 'list', 'used', 'rename', 'remove'],
  known: ['put', 'list', 'used', 'rename', 'remove'],
  requests: ['add', 'list', 'remove'],
  signals: ['subscribe', 'unsubscribe'],
};
const FUNCTIONS = ['clock', 'rateLimit', 'ping', 'hearsOthers', 'close'] as const;

/**
 * Returns the engine of a deployment's own store. Each access gets what the built-in engines have: a time limit, a
 * measurement, and `store_unavailable` for each failure.
 * @throws TypeError if a part of the engine is missing
 */
export function guardEngine(engine: StoreEngine, { onLate }: Pick<BackgroundCallbacks, 'onLate'>): StoreEngine {
  assertComplete(engine);
  const { name, store, notes, browsers, known, requests, signals } = engine;
  const access = new Access(name);
  const probe = new WriteProbe(() => access.make('ping', () => engine.ping()));
  return {
    name,
    store: guardTickets(access, store, onLate),
    notes: {
      write: (note, lasts, value) => access.make('write', () => notes.write(note, lasts, value)),
      claim: (note, lasts) => access.make('claim', () => notes.claim(note, lasts)),
      read: (note) => access.make('read', () => notes.read(note)),
    },
    browsers: guardList(access, browsers),
    known: guardList(access, known),
    requests: {
      add: (accountId, request) => access.make('put', () => requests.add(accountId, request)),
      list: (accountId) => access.make('list', () => requests.list(accountId)),
      remove: (accountId, id) => access.make('remove', () => requests.remove(accountId, id)),
    },
    signals: guardSignals(signals),
    clock: () => engine.clock(),
    rateLimit: (limit, rate) => {
      const own = engine.rateLimit(limit, rate);
      return {
        take: (key) => access.make('limit', async () => own.take(key)),
        ask: (key) => access.make('limit', async () => own.ask(key)),
      };
    },
    ping: () => probe.assertWritable(),
    hearsOthers: () => engine.hearsOthers(),
    close: () => engine.close(),
  };
}

function guardTickets(access: Access, store: TicketStore, onLate: BackgroundCallbacks['onLate']): TicketStore {
  return {
    create: (ticket) =>
      access.make(
        'create',
        () => store.create(ticket),
        (isWritten) => isWritten && onLate(ticket),
      ),
    find: (id) => access.make('find', () => store.find(id)),
    findByInteraction: (uid) => access.make('find', () => store.findByInteraction(uid)),
    swap: (previous, next, ended) =>
      access.make(
        'swap',
        () => store.swap(previous, next, ended),
        (isWritten) => {
          if (!isWritten) return;
          // A ticket that had reached its deadline was not ended by this swap, so it is not reported as ended.
          if (ended !== undefined && ended.since < previous.deadline) onLate(ended);
          onLate(next);
        },
      ),
  };
}

function guardList<Entry extends ListedBrowser>(access: Access, list: BrowserList<Entry>): BrowserList<Entry> {
  return {
    put: (accountId, browser) => access.make('put', () => list.put(accountId, browser)),
    list: (accountId) => access.make('list', () => list.list(accountId)),
    used: (accountId, id, use) => access.make('used', () => list.used(accountId, id, use)),
    rename: (accountId, id, label) => access.make('rename', () => list.rename(accountId, id, label)),
    remove: (accountId, id) => access.make('remove', () => list.remove(accountId, id)),
  };
}

/** Lets listeners know only that a change may have been missed, if the ticket is one that only a newer build can act on. */
function guardSignals(signals: Signals): Signals {
  const wrappers = new WeakMap<Listener, Listener>();
  return {
    get rereadEvery() {
      return signals.rereadEvery;
    },
    subscribe: (interaction, listener) => {
      const wrapper: Listener = wrappers.get(listener) ?? {
        hear: (ticket) => listener.hear(ticket !== undefined && isNewer(ticket) ? undefined : ticket),
      };
      wrappers.set(listener, wrapper);
      signals.subscribe(interaction, wrapper);
    },
    unsubscribe: (interaction, listener) => signals.unsubscribe(interaction, wrappers.get(listener) ?? listener),
  };
}

function assertComplete(engine: StoreEngine): void {
  const parts = Object.entries(PARTS).flatMap(([part, names]) => names.map((name) => [part, name]));
  const missing = [...parts, ...FUNCTIONS.map((name) => [name])].filter((path) => !isFunctionAt(engine, path));
  if (typeof engine?.name !== 'string' || !engine.name) missing.unshift(['name']);
  if (typeof engine?.signals?.rereadEvery !== 'number') missing.push(['signals', 'rereadEvery']);
  if (missing.length === 0) return;
  throw new TypeError(`the engine that store() returned has no ${missing.map((path) => path.join('.')).join(', ')}`);
}

function isFunctionAt(value: unknown, path: readonly string[]): boolean {
  let found = value;
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return false;
    found = Reflect.get(found, name);
  }
  return typeof found === 'function';
}
