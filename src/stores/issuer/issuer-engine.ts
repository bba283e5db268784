import type { BrowserList, ListedBrowser } from '../../ticket/browsers/browser-list.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { LocalRateLimit } from '../rate-limit.ts';
import type { StoreEngine } from '../store-engine.ts';
import { IssuerBrowserList } from './issuer-browser-list.ts';
import { IssuerKeys, type RecordKind } from './issuer-keys.ts';
import { IssuerNotes } from './issuer-notes.ts';
import { IssuerPendingRequests } from './issuer-pending-requests.ts';
import { IssuerSignals } from './issuer-signals.ts';
import { IssuerTickets } from './issuer-tickets.ts';

/** The engine of one issuer, with the lists for its operators. */
export interface IssuerEngine extends StoreEngine {
  /**
   * Returns the lists of a kind, one for each name. A list has at most 100 entries, and the least recently used one
   * leaves it first.
   */
  readonly records: <Entry extends ListedBrowser>(kind: RecordKind) => BrowserList<Entry>;
}

/**
 * Returns the engine for one issuer. It does not find what other issuers have stored, even if they have the same store,
 * namespace and secrets. The keys of notes, lists and limits are MACs, so that no key discloses an account or an
 * address.
 */
export function engineForIssuer(engine: StoreEngine, issuer: string, secrets: SecretKeys): IssuerEngine {
  const keys = new IssuerKeys(issuer, secrets);
  // An engine keeps the fields that it does not know, and its keys are opaque. So its list of known browsers can hold
  // other entries under other keys, and no engine needs a new part.
  const lists: BrowserList<ListedBrowser> = engine.known;
  return {
    ...engine,
    records: <Entry extends ListedBrowser>(kind: RecordKind) =>
      // The cast is safe: only entries of this type are put under the keys of this kind.
      new IssuerBrowserList(lists as BrowserList<Entry>, (name) => keys.recordKeysOf(kind, name)),
    store: new IssuerTickets(engine.store, issuer),
    notes: new IssuerNotes(engine.notes, keys),
    browsers: new IssuerBrowserList(engine.browsers, (accountId) => keys.keysOf('browsers', accountId)),
    known: new IssuerBrowserList(engine.known, (accountId) => keys.keysOf('known', accountId)),
    subscriptions: new IssuerBrowserList(engine.subscriptions, (accountId) => keys.keysOf('subscriptions', accountId)),
    requests: new IssuerPendingRequests(engine.requests, (accountId) => keys.keysOf('requests', accountId)),
    signals: new IssuerSignals(engine.signals, issuer),
    rateLimit: (name, rate) => {
      const limit = engine.rateLimit(name, rate);
      // A local limit counts for this issuer and in this process alone, so no reader of a store sees its keys.
      if (limit instanceof LocalRateLimit) return limit;
      return {
        take: (who) => limit.take(keys.currentKey(`limit ${name}`, who)),
        ask: (who) => limit.ask(keys.currentKey(`limit ${name}`, who)),
      };
    },
  };
}
