import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../../src/stores/choose-engine.ts';
import { RecordingListener } from '../../../src/stores/contract/recording-listener.ts';
import { type EnginePair, storeContract } from '../../../src/stores/contract/store-contract.ts';
import { TooLate } from '../../../src/stores/deadline.ts';
import { LocalSignals } from '../../../src/stores/local-signals.ts';
import { sweepExpired } from '../../../src/stores/memory/expiry-sweep.ts';
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import { newKeyv6 } from '../../support/keyv6.ts';
import { awaitRefusal, scanned, waiting } from '../../ticket/builders.ts';
import { SHORT, whileStoresMayTake } from '../patience.ts';
import { FlakyBackend, keyv6Over, keyvOver, nextTurn, RemoteBackend } from './keyv-stores.ts';

/** Uses one engine for both sides of the pair, because this Keyv serves only one process. */
function oneProcess(keyv: Keyv): EnginePair {
  const engine = chooseEngine(keyv, Date.now, { onTrouble: () => undefined, onLate: () => undefined });
  return { here: engine, there: engine, close: engine.close };
}

storeContract({ describe, it, before, after }, 'the engine of a Keyv in memory', () => oneProcess(new Keyv()));
storeContract({ describe, it, before, after }, 'the engine of a Keyv behind a network', () =>
  oneProcess(keyvOver(new RemoteBackend())),
);
storeContract({ describe, it, before, after }, 'the engine of a Keyv 6 in memory', () => oneProcess(newKeyv6()));
storeContract({ describe, it, before, after }, 'the engine of a Keyv 6 behind a network', () =>
  oneProcess(keyv6Over(new RemoteBackend())),
);

function storeOn(keyv: Keyv, signals: LocalSignals = new LocalSignals()): KeyvTicketStore {
  return new KeyvTicketStore(keyv, Date.now, signals);
}

describe('KeyvTicketStore when its backend is unavailable:', () => {
  // The deadline is far in the future, because other tests may run for a while before these tests.
  const inAnHour = Date.now() + 3_600_000;
  const ticket = waiting({ deadline: inAnHour });
  const next = scanned({ deadline: inAnHour });
  const acts: Record<string, (store: KeyvTicketStore) => Promise<unknown>> = {
    create: (store) => store.create(ticket),
    find: (store) => store.find(ticket.id),
    findByInteraction: (store) => store.findByInteraction(ticket.interaction),
    swap: (store) => store.swap(ticket, next),
    ping: (store) => store.ping(),
  };
  let backend: FlakyBackend;

  beforeEach(() => {
    backend = new FlakyBackend();
  });

  for (const [name, act] of Object.entries(acts)) {
    it(`${name} fails with store_unavailable and the cause`, async () => {
      backend.down = 'everything';
      const refusal = await awaitRefusal(act(storeOn(keyvOver(backend))));
      expect(refusal.code).to.equal('store_unavailable');
      expect(refusal.cause).to.be.instanceOf(Error).with.property('message', 'out of reach');
    });

    it(`${name} fails with store_unavailable if the Keyv has throwOnErrors: false`, async () => {
      backend.down = 'everything';
      const refusal = await awaitRefusal(act(storeOn(keyvOver(backend, false))));
      expect(refusal.code).to.equal('store_unavailable');
    });
  }

  for (const [name, act] of Object.entries(acts)) {
    it(`${name} fails with store_unavailable and the cause on a Keyv 6, with or without a listener for errors`, async () => {
      backend.down = 'everything';
      for (const keyv of [keyv6Over(backend), newKeyv6({ store: backend })]) {
        const refusal = await awaitRefusal(act(storeOn(keyv)));
        expect(refusal.code).to.equal('store_unavailable');
        expect(refusal.cause).to.be.instanceOf(Error).with.property('message', 'out of reach');
      }
    });
  }

  it('every method fails with store_unavailable if there is no answer at all', async () => {
    const refusals = await whileStoresMayTake(SHORT, () =>
      Promise.all(Object.values(acts).map((act) => awaitRefusal(act(storeOn(keyvOver(new MuteBackend())))))),
    );
    expect(new Set(refusals.map(({ code }) => code))).to.deep.equal(new Set(['store_unavailable']));
    for (const { cause } of refusals) expect(cause).to.be.instanceOf(TooLate);
  });

  it('a failed write is reported to its caller and not signalled to listeners', async () => {
    const signals = new LocalSignals();
    const ears = new RecordingListener(signals, ticket.interaction);
    const store = storeOn(keyvOver(backend), signals);
    await store.create(ticket);
    backend.down = 'writes';
    expect((await awaitRefusal(store.swap(ticket, next))).code).to.equal('store_unavailable');
    expect(await store.find(ticket.id)).to.deep.equal(ticket);
    expect(ears.heard).to.deep.equal([ticket]);
  });

  it('a failed write is reported to its caller if the Keyv has throwOnErrors: false', async () => {
    const store = storeOn(keyvOver(backend, false));
    await store.create(ticket);
    backend.down = 'writes';
    const refusal = await awaitRefusal(store.swap(ticket, next));
    expect(refusal.code).to.equal('store_unavailable');
  });

  it('everything works again after the backend is back', async () => {
    const store = storeOn(keyvOver(backend));
    backend.down = 'everything';
    await Promise.allSettled(Object.values(acts).map((act) => act(store)));
    backend.down = 'nothing';
    expect(await store.create(ticket)).to.equal(true);
    expect(await store.swap(ticket, next)).to.equal(true);
  });
});

class MuteBackend extends RemoteBackend {
  override get(): Promise<undefined> {
    return new Promise(() => undefined);
  }

  override set(): Promise<void> {
    return new Promise(() => undefined);
  }
}

describe('the memory of a KeyvTicketStore', () => {
  afterEach(() => mock.timers.reset());

  it('is empty after the deadlines of ten thousand tickets have passed', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const records = new Map<string, string>();
    const keyv = new Keyv({ store: records });
    const store = storeOn(keyv);
    const stop = sweepExpired(keyv);
    for (let number = 0; number < 10_000; number++) {
      const [interaction, deadline] = [`${number}`, Date.now() + 120_000];
      await store.create(waiting({ id: newTicketId(interaction), interaction, deadline }));
    }
    expect(records.size).to.equal(20_000);

    mock.timers.tick(140_000);
    await nextTurn();
    stop();
    expect(records.size).to.equal(0);
  });
});
