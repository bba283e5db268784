/** What every store of tickets has to do. It runs on the real clock, as stores in other processes do. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { newId } from '../../src/ticket/code.ts';
import type { TicketStore } from '../../src/ticket/ports.ts';
import type { Ticket, WaitingTicket } from '../../src/ticket/ticket.ts';
import { approved, cancelled, denied, redeemed, scanned, waiting } from '../ticket/builders.ts';

export interface StoreUnderTest {
  readonly store: TicketStore;
  readonly close: () => void | Promise<void>;
}

/** Stores that outlive a test see tickets of their own in each. */
function newTicket(more: Partial<WaitingTicket> = {}): WaitingTicket {
  return waiting({ id: newId(), interaction: randomUUID(), deadline: Date.now() + 60_000, ...more });
}

/** The next ticket of the same interaction. */
function follower(ticket: Ticket): WaitingTicket {
  return newTicket({ interaction: ticket.interaction, version: ticket.version + 2 });
}

function changed(ticket: Ticket, more: { deadline?: number } = {}): Ticket {
  const { id, interaction, deadline } = ticket;
  return scanned({ id, interaction, deadline, version: ticket.version + 1, ...more });
}

export function ticketStoreContract(name: string, makeStore: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(`${name} as a store of tickets`, () => {
    let made: StoreUnderTest;
    let store: TicketStore;

    beforeEach(async () => {
      made = await makeStore();
      store = made.store;
    });

    afterEach(() => made.close());

    describe('create', () => {
      it('makes the first ticket of an interaction', async () => {
        const ticket = newTicket();
        expect(await store.create(ticket, undefined)).to.equal(true);
        expect(await store.find(ticket.id)).to.deep.equal(ticket);
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(ticket);
      });

      it('writes nothing where the interaction has one already', async () => {
        const ticket = newTicket();
        const second = follower(ticket);
        await store.create(ticket, undefined);
        expect(await store.create(second, undefined)).to.equal(false);
        expect(await store.find(second.id)).to.equal(undefined);
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(ticket);
      });

      it('replaces the ticket that it is told to replace', async () => {
        const ticket = newTicket();
        const second = follower(ticket);
        await store.create(ticket, undefined);
        expect(await store.create(second, ticket.id)).to.equal(true);
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(second);
      });

      it('replaces no other one than that', async () => {
        const ticket = newTicket();
        const second = follower(ticket);
        const third = follower(second);
        await store.create(ticket, undefined);
        await store.create(second, ticket.id);
        expect(await store.create(third, ticket.id)).to.equal(false);
        expect(await store.create(third, newId())).to.equal(false);
        expect(await store.find(third.id)).to.equal(undefined);
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(second);
      });

      it('keeps interactions apart', async () => {
        const [one, other] = [newTicket(), newTicket()];
        await Promise.all([store.create(one, undefined), store.create(other, undefined)]);
        expect(await store.findByInteraction(one.interaction)).to.deep.equal(one);
        expect(await store.findByInteraction(other.interaction)).to.deep.equal(other);
      });

      it('lets exactly one of twenty win', async () => {
        const first = newTicket();
        const rivals = [first, ...Array.from({ length: 19 }, () => newTicket({ interaction: first.interaction }))];
        const won = await Promise.all(rivals.map((ticket) => store.create(ticket, undefined)));
        expect(won.filter(Boolean)).to.have.length(1);
        expect(await store.findByInteraction(first.interaction)).to.deep.equal(rivals[won.indexOf(true)]);
      });

      it('lets exactly one of twenty replace', async () => {
        const first = newTicket();
        await store.create(first, undefined);
        const rivals = Array.from({ length: 20 }, () => follower(first));
        const won = await Promise.all(rivals.map((ticket) => store.create(ticket, first.id)));
        expect(won.filter(Boolean)).to.have.length(1);
        expect(await store.findByInteraction(first.interaction)).to.deep.equal(rivals[won.indexOf(true)]);
      });
    });

    describe('find', () => {
      it('knows nothing of what was never written', async () => {
        expect(await store.find(newId())).to.equal(undefined);
        expect(await store.findByInteraction(randomUUID())).to.equal(undefined);
      });

      it('gives each state back as it was written', async () => {
        const of = { interaction: randomUUID(), deadline: Date.now() + 60_000 };
        const tickets = [
          newTicket(of),
          scanned(of),
          approved(of),
          approved({ ...of, checkCode: { wrongTries: 2 } }),
          denied(of),
          redeemed(of),
          cancelled(of),
        ].map((ticket): Ticket => ({ ...ticket, id: newId() }));
        let before: string | undefined;
        for (const ticket of tickets) {
          await store.create(ticket, before);
          expect(await store.find(ticket.id), ticket.state).to.deep.equal(ticket);
          before = ticket.id;
        }
      });

      it('gives a copy: who changes it changes nothing in the store', async () => {
        const ticket = newTicket();
        await store.create(ticket, undefined);
        Object.assign((await store.find(ticket.id)) ?? {}, { version: 99 });
        expect(await store.find(ticket.id)).to.deep.equal(ticket);
      });
    });

    describe('swap', () => {
      it('writes over the version that it started from', async () => {
        const ticket = newTicket();
        const next = changed(ticket);
        await store.create(ticket, undefined);
        expect(await store.swap(ticket, next)).to.equal(true);
        expect(await store.find(ticket.id)).to.deep.equal(next);
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(next);
      });

      it('writes nothing over another version', async () => {
        const ticket = newTicket();
        const next = changed(ticket);
        await store.create(ticket, undefined);
        await store.swap(ticket, next);
        expect(await store.swap(ticket, changed(ticket, { deadline: ticket.deadline + 1 }))).to.equal(false);
        expect(await store.find(ticket.id)).to.deep.equal(next);
      });

      it('writes nothing where there is nothing', async () => {
        const ticket = newTicket();
        expect(await store.swap(ticket, changed(ticket))).to.equal(false);
        expect(await store.find(ticket.id)).to.equal(undefined);
        expect(await store.findByInteraction(ticket.interaction)).to.equal(undefined);
      });

      it('lets exactly one of twenty win', async () => {
        const ticket = newTicket();
        await store.create(ticket, undefined);
        const rivals = Array.from({ length: 20 }, (_, n) => changed(ticket, { deadline: ticket.deadline + n }));
        const won = await Promise.all(rivals.map((next) => store.swap(ticket, next)));
        expect(won.filter(Boolean)).to.have.length(1);
        expect(await store.find(ticket.id)).to.deep.equal(rivals[won.indexOf(true)]);
      });

      it('never gives an interaction back a ticket that was replaced', async () => {
        const ticket = newTicket();
        const second = follower(ticket);
        await store.create(ticket, undefined);
        await store.create(second, ticket.id);
        await store.swap(ticket, changed(ticket));
        expect(await store.findByInteraction(ticket.interaction)).to.deep.equal(second);
      });
    });

    describe('a deadline', () => {
      it('takes the ticket with it, for its interaction too', async () => {
        const ticket = newTicket({ deadline: Date.now() + 20 });
        await store.create(ticket, undefined);
        await pause(40);
        expect(await store.find(ticket.id)).to.equal(undefined);
        expect(await store.findByInteraction(ticket.interaction)).to.equal(undefined);
        expect(await store.swap(ticket, changed(ticket))).to.equal(false);
      });

      it('is the one of the last state that was written', async () => {
        const [longer, shorter] = [newTicket({ deadline: Date.now() + 70 }), newTicket()];
        for (const ticket of [longer, shorter]) await store.create(ticket, undefined);
        await store.swap(longer, changed(longer, { deadline: Date.now() + 60_000 }));
        await store.swap(shorter, changed(shorter, { deadline: Date.now() + 20 }));
        await pause(90);
        expect(await store.findByInteraction(longer.interaction)).to.deep.include({ id: longer.id });
        expect(await store.findByInteraction(shorter.interaction)).to.equal(undefined);
      });

      it('that has passed already leaves nothing behind', async () => {
        const ticket = newTicket({ deadline: Date.now() - 1000 });
        await store.create(ticket, undefined);
        await pause(10);
        expect(await store.find(ticket.id)).to.equal(undefined);
        expect(await store.findByInteraction(ticket.interaction)).to.equal(undefined);
      });

      it('makes room for a first ticket', async () => {
        const ticket = newTicket({ deadline: Date.now() + 20 });
        await store.create(ticket, undefined);
        await pause(40);
        expect(await store.create(follower(ticket), undefined)).to.equal(true);
      });
    });
  });
}
