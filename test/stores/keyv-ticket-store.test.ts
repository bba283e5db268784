import { mock } from 'node:test';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { KeyvTicketStore } from '../../src/stores/keyv-ticket-store.ts';
import { newId } from '../../src/ticket/code.ts';
import { refused, scanned, waiting } from '../ticket/builders.ts';
import { FlakyBackend, keyvOver, nextTurn, RemoteBackend } from './keyv-stores.ts';
import { ticketStoreContract } from './ticket-store-contract.ts';

function storeOn(keyv: Keyv): { store: KeyvTicketStore; close: () => void } {
  const store = new KeyvTicketStore(keyv, Date.now);
  return { store, close: () => store.close() };
}

ticketStoreContract('KeyvTicketStore in memory', () => storeOn(new Keyv()));
ticketStoreContract('KeyvTicketStore over a backend behind a network', () => storeOn(keyvOver(new RemoteBackend())));

describe('KeyvTicketStore when its backend is out of reach', () => {
  // The suite may take a while before it gets here.
  const inAnHour = Date.now() + 3_600_000;
  const ticket = waiting({ deadline: inAnHour });
  const next = scanned({ deadline: inAnHour });
  const acts: Record<string, (store: KeyvTicketStore) => Promise<unknown>> = {
    create: (store) => store.create(ticket, undefined),
    find: (store) => store.find(ticket.id),
    findByInteraction: (store) => store.findByInteraction(ticket.interaction),
    swap: (store) => store.swap(ticket, next),
  };
  let backend: FlakyBackend;

  beforeEach(() => {
    backend = new FlakyBackend();
  });

  for (const [name, act] of Object.entries(acts)) {
    it(`${name} says so, and why`, async () => {
      backend.down = 'everything';
      const { store, close } = storeOn(keyvOver(backend));
      const refusal = await refused(act(store));
      close();
      expect(refusal.code).to.equal('store_unavailable');
      expect(refusal.cause).to.be.instanceOf(Error).with.property('message', 'out of reach');
    });

    it(`${name} says so although the Keyv keeps errors to itself`, async () => {
      backend.down = 'everything';
      const { store, close } = storeOn(keyvOver(backend, false));
      const refusal = await refused(act(store));
      close();
      expect(refusal.code).to.equal('store_unavailable');
    });
  }

  it('a write that fails is no silent success', async () => {
    const { store, close } = storeOn(keyvOver(backend));
    await store.create(ticket, undefined);
    backend.down = 'writes';
    expect((await refused(store.swap(ticket, next))).code).to.equal('store_unavailable');
    expect(await store.find(ticket.id)).to.deep.equal(ticket);
    close();
  });

  it('a write that fails is no silent success although the Keyv keeps errors to itself', async () => {
    const { store, close } = storeOn(keyvOver(backend, false));
    await store.create(ticket, undefined);
    backend.down = 'writes';
    const refusal = await refused(store.swap(ticket, next));
    close();
    expect(refusal.code).to.equal('store_unavailable');
  });

  it('once it is back everything goes on', async () => {
    const { store, close } = storeOn(keyvOver(backend));
    backend.down = 'everything';
    await Promise.allSettled(Object.values(acts).map((act) => act(store)));
    backend.down = 'nothing';
    expect(await store.create(ticket, undefined)).to.equal(true);
    expect(await store.swap(ticket, next)).to.equal(true);
    close();
  });
});

describe('the memory of a KeyvTicketStore', () => {
  afterEach(() => mock.timers.reset());

  it('is where it was once the deadlines of ten thousand tickets have passed', async () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
    const records = new Map<string, string>();
    const store = new KeyvTicketStore(new Keyv({ store: records }), Date.now);
    for (let number = 0; number < 10_000; number++) {
      const deadline = Date.now() + 120_000;
      await store.create(waiting({ id: newId(), interaction: `${number}`, deadline }), undefined);
    }
    expect(records.size).to.equal(20_000);

    mock.timers.tick(140_000);
    await nextTurn();
    store.close();
    expect(records.size).to.equal(0);
  });
});
