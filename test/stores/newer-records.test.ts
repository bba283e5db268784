import { expect } from 'chai';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../src/stores/choose-engine.ts';
import { RecordingListener } from '../../src/stores/contract/recording-listener.ts';
import { changed, newTicket } from '../../src/stores/contract/sample-tickets.ts';
import type { MakeStoreEngine, StoreEngine } from '../../src/stores/store-engine.ts';
import type { KnownBrowser } from '../../src/ticket/browsers/known-browser.ts';
import type { SignedInBrowser } from '../../src/ticket/browsers/signed-in-browser.ts';
import { KNOWN_FORMAT } from '../../src/ticket/record-format.ts';
import { RedisServer } from '../support/redis.ts';
import { refused } from '../ticket/builders.ts';
import { keyvOver, RemoteBackend } from './memory/keyv-stores.ts';
import { GENEROUS, storesMayTake } from './patience.ts';
import { startProcess } from './redis/redis-process.ts';

interface OwnStore {
  readonly Database: new () => unknown;
  readonly ownStore: (database: unknown) => MakeStoreEngine;
}

// Imported dynamically, because the example is JavaScript without type declarations.
const { Database, ownStore }: OwnStore = await import(
  new URL('../../examples/own-store/store.js', import.meta.url).href
);

const IGNORED = { onTrouble: () => undefined, onLate: () => undefined };
const NEWER = KNOWN_FORMAT + 1;

interface Started {
  readonly engine: StoreEngine;
  readonly close: () => Promise<void>;
}

function startOn(store: Parameters<typeof chooseEngine>[0]): Started {
  const engine = chooseEngine(store, Date.now, IGNORED);
  return { engine, close: () => engine.close() };
}

const ENGINES: Readonly<Record<string, () => Started | Promise<Started>>> = {
  memory: () => startOn(new Keyv()),
  'any other Keyv': () => startOn(keyvOver(new RemoteBackend())),
  "a deployment's own": () => startOn(ownStore(new Database())),
  Redis: async () => {
    const redis = await RedisServer.start();
    const process = await startProcess(redis.url);
    return { engine: process.engine, close: () => process.close().finally(() => redis.stop()) };
  },
};

for (const [name, start] of Object.entries(ENGINES)) {
  describe(`a record of a newer format in the engine on ${name}`, () => {
    storesMayTake(GENEROUS);
    let engine: StoreEngine;
    let close: () => Promise<void> = async () => undefined;
    const warnings: (Error & { code?: string })[] = [];
    const note = (warning: Error): unknown => warnings.push(warning);

    before(async () => {
      process.on('warning', note);
      ({ engine, close } = await start());
    });

    after(async () => {
      process.off('warning', note);
      await close();
    });

    async function expectRefused(read: Promise<unknown>): Promise<void> {
      const error = await refused(read);
      expect(error.code).to.equal('newer_record');
      expect(error.message).to.include(`format ${NEWER}`).and.include(`knows ${KNOWN_FORMAT}`);
    }

    it('is refused if it is a ticket, by its id and by its interaction', async () => {
      const ticket = newTicket({ format: NEWER });
      await engine.store.create(ticket);
      await expectRefused(engine.store.find(ticket.id));
      await expectRefused(engine.store.findByInteraction(ticket.interaction));
    });

    it('is refused if it is a browser on one of the lists, which can still be removed, used and named', async () => {
      const times = { lastUsedAt: Date.now(), endsAt: Date.now() + 60_000 };
      const entry = { id: 'id', sessionUid: 'uid', format: NEWER, ...times };
      const signedIn: SignedInBrowser = { ...entry, signedInAt: times.lastUsedAt };
      const trusted: KnownBrowser = { ...entry, trustedAt: times.lastUsedAt };
      await Promise.all([engine.browsers.put('alice', signedIn), engine.known.put('alice', trusted)]);
      for (const list of [engine.browsers, engine.known]) {
        await expectRefused(list.list('alice'));
        expect(await list.used('alice', 'id', times)).to.equal(true);
        expect(await list.rename('alice', 'id', 'Office')).to.equal(true);
        await list.remove('alice', 'id');
        expect(await list.list('alice')).to.deep.equal([]);
      }
    });

    it('is not passed to listeners, which are notified to read instead', async () => {
      const ticket = newTicket();
      const ears = new RecordingListener(engine.signals, ticket.interaction);
      await engine.store.findByInteraction(ticket.interaction);
      await engine.store.create(ticket);
      await ears.hears(1);
      const before = ears.doubts;
      await engine.store.swap(ticket, { ...changed(ticket), format: NEWER });
      await ears.doubtsOnceMore(before);
      expect(ears.heard).to.deep.equal([ticket]);
      ears.stop();
    });

    it('causes one warning of the process, which names both formats', () => {
      const mine = warnings.filter(({ code }) => code === 'QR_LOGIN_NEWER_RECORD');
      expect(mine).to.have.length(1);
      expect(mine[0]?.message).to.include(`format ${NEWER}`).and.include(`knows ${KNOWN_FORMAT}`);
    });

    it('does not affect records of this format, or of builds without formats', async () => {
      for (const format of [{}, { format: KNOWN_FORMAT }]) {
        const ticket = newTicket(format);
        await engine.store.create(ticket);
        expect(await engine.store.find(ticket.id)).to.deep.equal(ticket);
      }
    });
  });
}
