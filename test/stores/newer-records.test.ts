import { expect } from 'chai';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../src/stores/choose-engine.ts';
import { RecordingListener } from '../../src/stores/contract/recording-listener.ts';
import { newTicket, toScanned } from '../../src/stores/contract/sample-tickets.ts';
import type { MakeStoreEngine, StoreEngine } from '../../src/stores/store-engine.ts';
import type { KnownBrowser } from '../../src/ticket/browsers/known-browser.ts';
import type { SignedInBrowser } from '../../src/ticket/browsers/signed-in-browser.ts';
import { KNOWN_FORMAT } from '../../src/ticket/record-format.ts';
import { RedisServer } from '../support/redis.ts';
import { awaitRefusal } from '../ticket/builders.ts';
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

const IGNORE_CALLBACKS = { onTrouble: () => undefined, onLate: () => undefined };
const NEWER_FORMAT = KNOWN_FORMAT + 1;

interface OpenStore {
  readonly engine: StoreEngine;
  readonly close: () => Promise<void>;
}

function startOn(store: Parameters<typeof chooseEngine>[0]): OpenStore {
  const engine = chooseEngine(store, Date.now, IGNORE_CALLBACKS);
  return { engine, close: () => engine.close() };
}

const ENGINES: Readonly<Record<string, () => OpenStore | Promise<OpenStore>>> = {
  'the engine in memory': () => startOn(new Keyv()),
  'the engine on any other Keyv': () => startOn(keyvOver(new RemoteBackend())),
  "a deployment's own engine": () => startOn(ownStore(new Database())),
  'the engine on Redis': async () => {
    const redis = await RedisServer.start();
    const process = await startProcess(redis.url);
    return { engine: process.engine, close: () => process.close().finally(() => redis.stop()) };
  },
};

for (const [name, start] of Object.entries(ENGINES)) {
  describe(`a record of a newer format in ${name}`, () => {
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
      const error = await awaitRefusal(read);
      expect(error.code).to.equal('newer_record');
      expect(error.message).to.include(`format ${NEWER_FORMAT}`).and.include(`knows ${KNOWN_FORMAT}`);
    }

    it('cannot be read if it is a ticket, neither by its id nor by its interaction', async () => {
      const ticket = newTicket({ format: NEWER_FORMAT });
      await engine.store.create(ticket);
      await expectRefused(engine.store.find(ticket.id));
      await expectRefused(engine.store.findByInteraction(ticket.interaction));
    });

    it('makes its list of browsers unreadable, but can itself still be renamed, marked as used and removed', async () => {
      const times = { lastUsedAt: Date.now(), endsAt: Date.now() + 60_000 };
      const entry = { id: 'id', sessionUid: 'uid', format: NEWER_FORMAT, ...times };
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

    it('is not passed to listeners, which are told to read it from the store', async () => {
      const ticket = newTicket();
      const listener = new RecordingListener(engine.signals, ticket.interaction);
      await engine.store.findByInteraction(ticket.interaction);
      await engine.store.create(ticket);
      await listener.untilHeard(1);
      const before = listener.doubts;
      await engine.store.swap(ticket, { ...toScanned(ticket), format: NEWER_FORMAT });
      await listener.untilInDoubt(before);
      expect(listener.heard).to.deep.equal([ticket]);
      listener.stop();
    });

    it('causes one warning of the process, with its format and the newest known one', () => {
      const newerRecordWarnings = warnings.filter(({ code }) => code === 'QR_LOGIN_NEWER_RECORD');
      expect(newerRecordWarnings).to.have.length(1);
      expect(newerRecordWarnings[0]?.message).to.include(`format ${NEWER_FORMAT}`).and.include(`knows ${KNOWN_FORMAT}`);
    });

    it('does not affect records of the known format, nor those without a format', async () => {
      for (const format of [{}, { format: KNOWN_FORMAT }]) {
        const ticket = newTicket(format);
        await engine.store.create(ticket);
        expect(await engine.store.find(ticket.id)).to.deep.equal(ticket);
      }
    });
  });
}
