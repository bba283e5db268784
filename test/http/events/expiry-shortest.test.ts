import { expect } from 'chai';
import { Expiry } from '../../../src/http/events/expiry.ts';
import { LocalSignals } from '../../../src/stores/local-signals.ts';
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { newTicket } from '../../stores/tickets.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { VirtualTime } from '../../support/virtual-time.ts';
import { approved, redeemed, scanned } from '../../ticket/builders.ts';

const MANY = 300;
/** Of every state, in milliseconds: the shortest that there may be. */
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

describe('the expiry of tickets with the shortest lifetimes', () => {
  const clock = (): number => Date.now();
  let time: VirtualTime;
  let elsewhere: Elsewhere;
  let store: Store;
  let expiry: Expiry;
  let told: string[];
  let show: (ticket: Ticket) => Promise<void>;

  beforeEach(() => {
    time = VirtualTime.begin();
    const { store: keyv, elsewhere: behind } = Elsewhere.keyv();
    elsewhere = behind;
    store = new Store(keyv, clock, new LocalSignals());
    told = [];
    expiry = new Expiry(store, clock, LIFETIMES, ({ id }) => told.push(id));
    const announce = expiry.following(() => undefined);
    show = async (ticket) => {
      await store.create(ticket);
      announce(undefined, 'qr_login.shown', ticket);
    };
  });

  afterEach(() => {
    expiry?.close();
    time?.end();
  });

  const showMany = async (): Promise<Ticket[]> => {
    const tickets = Array.from({ length: MANY }, () => newTicket({ deadline: clock() + LIFETIME }));
    await Promise.all(tickets.map(show));
    return tickets;
  };
  const idsOf = (tickets: readonly Ticket[]): string[] => tickets.map(({ id }) => id);

  for (const [state, build] of Object.entries({ waiting: undefined, scanned, approved })) {
    it(`is told in time, once, of a ticket that is ${state}`, async () => {
      const ticket = newTicket({ deadline: clock() + LIFETIME });
      await show(ticket);
      if (build !== undefined) {
        // Right before it would have expired in its first state.
        await time.pass(LIFETIME - 20);
        const { id, interaction, version } = ticket;
        const deadline = clock() + LIFETIME;
        await store.swap(ticket, build({ id, interaction, version: version + 1, deadline }));
      }
      await time.pass(LIFETIME - 20);
      expect(told).to.deep.equal([]);
      await time.pass(300);
      expect(told).to.deep.equal([ticket.id]);
      await time.pass(2 * LIFETIME);
      expect(told).to.deep.equal([ticket.id]);
    });
  }

  it('is told soon of each of many, in a store that takes its time', async () => {
    const tickets = await showMany();
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 20 : 0);
    await time.pass(LIFETIME);
    expect(told).to.deep.equal([]);
    await time.pass(LIFETIME);
    expect(told).to.have.members(idsOf(tickets));
  });

  it('is not told of those that were finished elsewhere, where it is too late to find that out', async () => {
    const tickets = await showMany();
    const deadline = clock() + LIFETIME;
    await Promise.all(
      tickets.map((ticket) => {
        const { id, interaction, version } = ticket;
        return store.swap(ticket, redeemed({ id, interaction, version: version + 1, deadline }));
      }),
    );
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 900 : 0);
    await time.pass(10 * LIFETIME);
    expect(store.missed.size).to.be.above(MANY / 4);
    expect(told).to.deep.equal([]);
  });
});

/** By the timers that the test drives. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
