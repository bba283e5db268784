import type { BrowserList, ListedBrowser } from '../ticket/browsers/browser-list.ts';
import { type FormattedRecord, isNewer, KNOWN_FORMAT, newerRecord } from '../ticket/record-format.ts';
import type { StoreEngine } from './store-engine.ts';

/**
 * Returns an engine that refuses to read records that only a newer build can act on. So no act of this process can
 * change such a record, or drop what it does not know. The first such record causes a warning of the process.
 */
export function refuseNewerRecords(engine: StoreEngine): StoreEngine {
  const { store, requests } = engine;
  const check = makeCheck();
  return {
    ...engine,
    store: {
      create: (ticket) => store.create(ticket),
      find: async (id) => check(await store.find(id)),
      findByInteraction: async (uid) => check(await store.findByInteraction(uid)),
      swap: (previous, next, ended) => store.swap(previous, next, ended),
    },
    browsers: refuseInList(engine.browsers, check),
    known: refuseInList(engine.known, check),
    subscriptions: refuseInList(engine.subscriptions, check),
    requests: {
      add: (accountId, request) => requests.add(accountId, request),
      list: async (accountId) => (await requests.list(accountId)).map((request) => check(request)),
      remove: (accountId, id) => requests.remove(accountId, id),
    },
  };
}

type Check = <Stored extends FormattedRecord | undefined>(stored: Stored) => Stored;

function refuseInList<Entry extends ListedBrowser>(list: BrowserList<Entry>, check: Check): BrowserList<Entry> {
  return {
    put: (accountId, browser) => list.put(accountId, browser),
    // A list without its newer entries would be wrong: "sign out all" would leave these browsers signed in.
    list: async (accountId) => (await list.list(accountId)).map((entry) => check(entry)),
    used: (accountId, id, use) => list.used(accountId, id, use),
    rename: (accountId, id, label) => list.rename(accountId, id, label),
    remove: (accountId, id) => list.remove(accountId, id),
  };
}

function makeCheck(): Check {
  let isAnnounced = false;
  return (stored) => {
    if (stored === undefined || !isNewer(stored)) return stored;
    if (!isAnnounced) warn(stored);
    isAnnounced = true;
    throw newerRecord(stored);
  };
}

function warn({ format }: FormattedRecord): void {
  process.emitWarning(
    `the store has records of format ${format}, written by a newer version of oidc-provider-qr-login; this one knows ${KNOWN_FORMAT} and answers 503 to requests that need them; upgrade this node`,
    { type: 'QrLoginWarning', code: 'QR_LOGIN_NEWER_RECORD' },
  );
}
