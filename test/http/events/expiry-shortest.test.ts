import { expect } from 'chai';
import { ExpiryWatcher } from '../../../src/http/events/expiry.ts';
import { newTicket } from '../../../src/stores/contract/sample-tickets.ts';
import { LocalSignals } from '../../../src/stores/local-signals.ts';
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { VirtualTime } from '../../support/virtual-time.ts';
import { approved, redeemed, scanned } from '../../ticket/builders.ts';

const MANY = 300;
/** The shortest lifetime that a state may have. */
const LIFETIME_MS = 1_000;
const LIFETIMES = { scan: LIFETIME_MS, decide: LIFETIME_MS, finish: LIFETIME_MS };

/** A store that remembers the ids of the tickets that were not found. */
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
  let expiry: ExpiryWatcher;
  let expired: string[];
  let show: (ticket: Ticket) => Promise<void>;

  beforeEach(() => {
    time = VirtualTime.begin();
    const { store: keyv, elsewhere: behind } = Elsewhere.keyv();
    elsewhere = behind;
    store = new Store(keyv, clock, new LocalSignals());
    expired = [];
    expiry = new ExpiryWatcher(store, clock, LIFETIMES, ({ id }) => expired.push(id));
    const announce = expiry.makeAnnouncer(() => undefined);
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
    const tickets = Array.from({ length: MANY }, () => newTicket({ deadline: clock() + LIFETIME_MS }));
    await Promise.all(tickets.map(show));
    return tickets;
  };
  const idsOf = (tickets: readonly Ticket[]): string[] => tickets.map(({ id }) => id);

  for (const [state, build] of Object.entries({ waiting: undefined, scanned, approved })) {
    it(`is announced once and on time for a ticket that is ${state}`, async () => {
      const ticket = newTicket({ deadline: clock() + LIFETIME_MS });
      await show(ticket);
      if (build !== undefined) {
        // Change the state just before the previous state expires.
        await time.pass(LIFETIME_MS - 20);
        const { id, interaction, version } = ticket;
        const deadline = clock() + LIFETIME_MS;
        await store.swap(ticket, build({ id, interaction, version: version + 1, deadline }));
      }
      await time.pass(LIFETIME_MS - 20);
      expect(expired).to.deep.equal([]);
      await time.pass(300);
      expect(expired).to.deep.equal([ticket.id]);
      await time.pass(2 * LIFETIME_MS);
      expect(expired).to.deep.equal([ticket.id]);
    });
  }

  it('is announced for each of many tickets, although the store is slow', async () => {
    const tickets = await showMany();
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 20 : 0);
    await time.pass(LIFETIME_MS);
    expect(expired).to.deep.equal([]);
    await time.pass(LIFETIME_MS);
    expect(expired).to.have.members(idsOf(tickets));
  });

  it('is not announced for tickets that another process has finished, even if they are read too late', async () => {
    const tickets = await showMany();
    const deadline = clock() + LIFETIME_MS;
    await Promise.all(
      tickets.map((ticket) => {
        const { id, interaction, version } = ticket;
        return store.swap(ticket, redeemed({ id, interaction, version: version + 1, deadline }));
      }),
    );
    elsewhere.before = ({ operation }) => pause(operation === 'get' ? 900 : 0);
    await time.pass(10 * LIFETIME_MS);
    expect(store.missed.size).to.be.above(MANY / 4);
    expect(expired).to.deep.equal([]);
  });
});

/** Waits by the timers that the test controls. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
