/** The contract of an engine's ticket store: one process writes, and another one reads. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { newTicketId } from '../../src/ticket/ticket-id.ts';
import { eventually } from '../support/until.ts';
import { approved, browserOf, cancelled, denied, redeemed, scanned } from '../ticket/builders.ts';
import type { Engines } from './engine-contract.ts';
import { changed, endOf, follower, newTicket } from './tickets.ts';

const TWENTY = Array.from({ length: 20 }, (_, number) => number);
/** The lifetime of a ticket if a test waits for its deadline. */
const SHORT_MS = 60;

export function ticketStoreContract(engines: () => Engines): void {
  const here = () => engines().here.store;
  const there = () => engines().there.store;
  /** Returns the two stores by turns. */
  const each = (number: number) => (number % 2 === 0 ? here() : there());

  function gone(ticket: Ticket): Promise<void> {
    return eventually('is gone', async () => (await there().find(ticket.id)) === undefined);
  }

  /**
   * Creates a ticket with a near deadline, and prolongs it. Repeats that with more time if the machine was too slow.
   */
  async function prolonged(): Promise<{ ticket: Ticket; deadline: number }> {
    for (let life = 100; ; life *= 4) {
      const deadline = Date.now() + life;
      const ticket = newTicket({ deadline });
      await here().create(ticket);
      if (await here().swap(ticket, changed(ticket, { deadline: Date.now() + 60_000 }))) return { ticket, deadline };
    }
  }

  describe('create', () => {
    it('makes the first ticket of an interaction', async () => {
      const ticket = newTicket();
      expect(await here().create(ticket)).to.equal(true);
      expect(await there().find(ticket.id)).to.deep.equal(ticket);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(ticket);
    });

    it('writes nothing if the interaction has a ticket already', async () => {
      const ticket = newTicket();
      const second = follower(ticket);
      await here().create(ticket);
      expect(await there().create(second)).to.equal(false);
      expect(await here().create(ticket)).to.equal(false);
      expect(await there().find(second.id)).to.equal(undefined);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(ticket);
    });

    it('keeps interactions apart', async () => {
      const [one, other] = [newTicket(), newTicket()];
      await Promise.all([here().create(one), there().create(other)]);
      expect(await there().findByInteraction(one.interaction)).to.deep.equal(one);
      expect(await here().findByInteraction(other.interaction)).to.deep.equal(other);
    });

    it('lets exactly one of twenty concurrent calls win', async () => {
      const interaction = randomUUID();
      const rivals = TWENTY.map(() => newTicket({ interaction }));
      const won = await Promise.all(rivals.map((ticket, number) => each(number).create(ticket)));
      expect(won.filter(Boolean)).to.have.length(1);
      expect(await there().findByInteraction(interaction)).to.deep.equal(rivals[won.indexOf(true)]);
    });
  });

  describe('find', () => {
    it('returns undefined for a ticket that was never written', async () => {
      expect(await there().find(newTicketId('never'))).to.equal(undefined);
      expect(await there().find('')).to.equal(undefined);
      expect(await there().findByInteraction(randomUUID())).to.equal(undefined);
    });

    it('returns each state as it was written', async () => {
      const interaction = randomUUID();
      const more = { interaction, deadline: Date.now() + 60_000 };
      const first = newTicket(more);
      const states = [
        scanned(more),
        approved(more),
        approved({ ...more, checkCode: { wrongTries: 2 } }),
        denied(more),
        redeemed(more),
        cancelled(more),
      ];
      await here().create(first);
      let before: Ticket = first;
      for (const state of states) {
        const next: Ticket = { ...state, id: first.id, version: before.version + 1 };
        expect(await here().swap(before, next), state.state).to.equal(true);
        expect(await there().find(first.id), state.state).to.deep.equal(next);
        expect(await there().findByInteraction(interaction), state.state).to.deep.equal(next);
        before = next;
      }
    });

    it('returns every character that browsers and RPs may have sent', async () => {
      const text = 'a\nb "c" \\ \u0000 \u2028 ünïcödé 二维码 🔑 {"x":1} %s';
      const ticket = newTicket({ browser: { ...browserOf(text), name: text, userAgent: text, place: { city: text } } });
      await here().create(ticket);
      expect(await there().find(ticket.id)).to.deep.equal(ticket);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(ticket);
    });

    it('returns a copy: changes to it do not affect the store', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      Object.assign((await here().find(ticket.id)) ?? {}, { version: 99 });
      expect(await here().find(ticket.id)).to.deep.equal(ticket);
    });
  });

  describe('swap', () => {
    it('replaces the version that it started from', async () => {
      const ticket = newTicket();
      const next = changed(ticket);
      await here().create(ticket);
      expect(await there().swap(ticket, next)).to.equal(true);
      expect(await here().find(ticket.id)).to.deep.equal(next);
      expect(await here().findByInteraction(ticket.interaction)).to.deep.equal(next);
    });

    it('does not replace another version', async () => {
      const ticket = newTicket();
      const next = changed(ticket);
      await here().create(ticket);
      await here().swap(ticket, next);
      expect(await there().swap(ticket, changed(ticket, { deadline: ticket.deadline + 1 }))).to.equal(false);
      expect(await there().find(ticket.id)).to.deep.equal(next);
    });

    it('does not confuse version 1 with version 10', async () => {
      const ticket = newTicket({ version: 10 });
      await here().create(ticket);
      const stale = { ...ticket, version: 1 };
      expect(await there().swap(stale, changed(stale))).to.equal(false);
      expect(await there().find(ticket.id)).to.deep.equal(ticket);
    });

    it('writes nothing if there is no ticket', async () => {
      const ticket = newTicket();
      expect(await here().swap(ticket, changed(ticket))).to.equal(false);
      expect(await there().find(ticket.id)).to.equal(undefined);
      expect(await there().findByInteraction(ticket.interaction)).to.equal(undefined);
    });

    it('lets exactly one of twenty concurrent calls win', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      const rivals = TWENTY.map((number) => changed(ticket, { deadline: ticket.deadline + number }));
      const won = await Promise.all(rivals.map((next, number) => each(number).swap(ticket, next)));
      expect(won.filter(Boolean)).to.have.length(1);
      expect(await there().find(ticket.id)).to.deep.equal(rivals[won.indexOf(true)]);
    });
  });

  describe('a swap that replaces a ticket', () => {
    it('gives the interaction the new ticket, and keeps the final state of the old one under its id', async () => {
      const ticket = newTicket();
      const [next, ended] = [follower(ticket), endOf(ticket)];
      await here().create(ticket);
      expect(await here().swap(ticket, next, ended)).to.equal(true);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(next);
      expect(await there().find(next.id)).to.deep.equal(next);
      expect(await there().find(ticket.id)).to.deep.equal(ended);
    });

    it('does not change a ticket that had ended before', async () => {
      const ticket = newTicket();
      const denied = changed(ticket);
      await here().create(ticket);
      await here().swap(ticket, denied);
      expect(await here().swap(denied, follower(denied))).to.equal(true);
      expect(await there().find(ticket.id)).to.deep.equal(denied);
    });

    it('writes nothing if the ticket has changed meanwhile', async () => {
      const ticket = newTicket();
      const [next, scanned] = [follower(ticket), changed(ticket)];
      await here().create(ticket);
      await there().swap(ticket, scanned);
      expect(await here().swap(ticket, next, endOf(ticket))).to.equal(false);
      expect(await there().find(ticket.id)).to.deep.equal(scanned);
      expect(await there().find(next.id)).to.equal(undefined);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(scanned);
    });

    it('lets exactly one of twenty concurrent calls win, and leaves nothing of the others', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      const rivals = TWENTY.map(() => follower(ticket));
      const won = await Promise.all(rivals.map((next, number) => each(number).swap(ticket, next, endOf(ticket))));
      expect(won.filter(Boolean)).to.have.length(1);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(rivals[won.indexOf(true)]);
      const found = await Promise.all(rivals.map(({ id }) => there().find(id)));
      expect(found.filter((rival) => rival !== undefined)).to.have.length(1);
    });

    it('is final: no write brings any version of the replaced ticket back', async () => {
      const ticket = newTicket();
      const [next, ended] = [follower(ticket), endOf(ticket)];
      await here().create(ticket);
      await here().swap(ticket, next, ended);
      for (const previous of [ticket, ended]) {
        expect(await there().swap(previous, changed(previous))).to.equal(false);
        expect(await there().swap(previous, follower(previous), endOf(previous))).to.equal(false);
      }
      expect(await there().find(ticket.id)).to.deep.equal(ended);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(next);
    });

    it('removes each ticket at its own deadline', async () => {
      const ticket = newTicket();
      const next = follower(ticket);
      await here().create(ticket);
      await here().swap(ticket, next, endOf(ticket, { deadline: Date.now() + SHORT_MS }));
      await gone(ticket);
      expect(await there().find(next.id)).to.deep.equal(next);
      expect(await there().findByInteraction(ticket.interaction)).to.deep.equal(next);
    });
  });

  describe('a deadline', () => {
    it('removes the ticket, also for its interaction', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await gone(ticket);
      expect(await there().findByInteraction(ticket.interaction)).to.equal(undefined);
      expect(await there().swap(ticket, changed(ticket))).to.equal(false);
    });

    it('does not remove the ticket early', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await gone(ticket);
      // The two clocks agree to a few milliseconds.
      expect(Date.now()).to.be.greaterThan(ticket.deadline - 20);
    });

    it('is that of the last state that was written', async () => {
      const { ticket: longer, deadline } = await prolonged();
      const shorter = newTicket();
      await here().create(shorter);
      await here().swap(shorter, changed(shorter, { deadline: deadline + SHORT_MS }));
      await gone(shorter);
      expect(await there().findByInteraction(longer.interaction)).to.deep.include({ id: longer.id });
      expect(await there().findByInteraction(shorter.interaction)).to.equal(undefined);
    });

    it('in the past leaves nothing behind', async () => {
      const ticket = newTicket({ deadline: Date.now() - 1000 });
      await here().create(ticket);
      await gone(ticket);
      expect(await there().findByInteraction(ticket.interaction)).to.equal(undefined);
    });

    it('allows a new first ticket afterwards', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await gone(ticket);
      expect(await there().create(follower(ticket))).to.equal(true);
    });
  });

  it('has the same clock in both processes', () => {
    const { here, there } = engines();
    // Each process measures the offset by a round trip, which can take long on a slow machine.
    expect(Math.abs(here.clock() - there.clock())).to.be.lessThan(5_000);
  });

  it('answers a ping, and hears other processes', async () => {
    await Promise.all([engines().here.ping(), engines().there.ping()]);
    expect([engines().here.hearsOthers(), engines().there.hearsOthers()]).to.deep.equal([true, true]);
  });
}
