import type { SecretKeys } from '../ticket/secret-keys.ts';
import { IssuerBrowserList } from './issuer-browser-list.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { IssuerNotes } from './issuer-notes.ts';
import { IssuerTickets } from './issuer-tickets.ts';
import type { StoreEngine } from './store-engine.ts';

/**
 * Returns the engine for one issuer. It does not find what other issuers have stored, even if they have the same store,
 * namespace and secrets. The keys of notes, lists and limits are MACs, so that no key tells an account or an address.
 *
 * Signals need no check, because a listener names an interaction, whose uid is random.
 */
export function engineForIssuer(engine: StoreEngine, issuer: string, secrets: SecretKeys): StoreEngine {
  const keys = new IssuerKeys(issuer, secrets);
  return {
    ...engine,
    store: new IssuerTickets(engine.store, issuer),
    notes: new IssuerNotes(engine.notes, keys),
    browsers: new IssuerBrowserList(engine.browsers, (accountId) => keys.keysOf('browsers', accountId)),
    known: new IssuerBrowserList(engine.known, (accountId) => keys.keysOf('known', accountId)),
    rateLimit: (name, rate) => {
      const limit = engine.rateLimit(name, rate);
      return {
        take: (who) => limit.take(keys.currentKey(`limit ${name}`, who)),
        ask: (who) => limit.ask(keys.currentKey(`limit ${name}`, who)),
      };
    },
  };
}
