import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { Expiry } from '../../src/http/expiry.ts';
import { KeyvTicketStore } from '../../src/stores/keyv-ticket-store.ts';
import { LocalSignals } from '../../src/stores/local-signals.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { newTicket } from '../stores/tickets.ts';
import { Elsewhere } from '../support/elsewhere.ts';
import { until } from '../support/until.ts';
import { redeemed } from '../ticket/builders.ts';

const MANY = 300;
/** Of every state, in milliseconds. */
const LIFETIME = 1_000;
const LIFETIMES = { scan: LIFETIME, decide: LIFETIME, finish: LIFETIME };

/** Remembers what was looked for when it was not there any more. */
class Store extends KeyvTicketStore {
  readonly missed = new Set<string>();

  override async find(id: string): Promise<Ticket | undefined> {
    const ticket = await super.find(id);
    if (ticket === undefined) this.missed.add(id);
    return ticket;
  }
}

describe('many tickets at once, in a store that takes its time', () => {
  let elsewhere: Elsewhere;
  let store: Store;
  let expiry: Expiry;
  let told: string[];
  let tickets: Ticket[];

  beforeEach(async () => {
    const { store: keyv, elsewhere: behind } = Elsewhere.keyv();
    elsewhere = behind;
    store = new Store(keyv, Date.now, new LocalSignals());
    told = [];
    expiry = new Expiry(store, Date.now, LIFETIMES, ({ id }) => told.push(id));
    const announce = expiry.following(() => undefined);
    const deadline = Date.now() + LIFETIME;
    tickets = Array.from({ length: MANY }, () => newTicket({ deadline }));
    await Promise.all(tickets.map((ticket) => store.create(ticket)));
    for (const ticket of tickets) announce(undefined, 'qr_login.shown', ticket);
  });

  afterEach(() => {
    expiry.close();
  });

  it('are told soon after they have expired', async () => {
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 20 : 0);
    await until(() => told.length === MANY, LIFETIME + 2_000);
    expect(new Set(told)).to.deep.equal(new Set(tickets.map(({ id }) => id)));
  });

  it('are not told to have expired where they were finished elsewhere and it is too late to find that out', async () => {
    const deadline = Date.now() + LIFETIME;
    await Promise.all(
      tickets.map((ticket) => {
        const { id, interaction, version } = ticket;
        return store.swap(ticket, redeemed({ id, interaction, version: version + 1, deadline }));
      }),
    );
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 900 : 0);
    await until(() => store.missed.size > MANY / 4);
    expect(told.length).to.equal(0);
  });
});
