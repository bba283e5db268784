/** The contract of an engine's ticket store: one process writes, and another one reads. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Ticket } from '../../ticket/ticket.ts';
import { newTicketId } from '../../ticket/ticket-id.ts';
import { eventually } from './eventually.ts';
import { allStates, BROWSER, newTicket, toFollower, toReplaced, toScanned } from './sample-tickets.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

const TWENTY = Array.from({ length: 20 }, (_, number) => number);
/** The lifetime of a ticket if a test waits for its deadline. */
const SHORT_MS = 60;
const LONG_MS = 60_000;

export function ticketStoreContract({ describe, it }: TestRunner, engines: () => EnginePair): void {
  const here = () => engines().here.store;
  const there = () => engines().there.store;
  /** Returns the two stores by turns. */
  const each = (number: number) => (number % 2 === 0 ? here() : there());

  function untilGone(ticket: Ticket): Promise<void> {
    return eventually('is gone', async () => (await there().find(ticket.id)) === undefined);
  }

  /**
   * Creates a ticket with a near deadline, and prolongs it. Repeats that with more time if the machine was too slow.
   */
  async function createProlonged(): Promise<{ ticket: Ticket; deadline: number }> {
    for (let life = 100; life < LONG_MS; life *= 4) {
      const deadline = Date.now() + life;
      const ticket = newTicket({ deadline });
      await here().create(ticket);
      if (await here().swap(ticket, toScanned(ticket, { deadline: Date.now() + LONG_MS }))) return { ticket, deadline };
    }
    throw new Error('a ticket cannot be swapped for one with a later deadline');
  }

  describe('create', () => {
    it('makes the first ticket of an interaction', async () => {
      const ticket = newTicket();
      assert.equal(await here().create(ticket), true);
      assert.deepEqual(await there().find(ticket.id), ticket);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), ticket);
    });

    it('writes nothing if the interaction has a ticket already', async () => {
      const ticket = newTicket();
      const second = toFollower(ticket);
      await here().create(ticket);
      assert.equal(await there().create(second), false);
      assert.equal(await here().create(ticket), false);
      assert.equal(await there().find(second.id), undefined);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), ticket);
    });

    it('keeps interactions apart', async () => {
      const [one, other] = [newTicket(), newTicket()];
      await Promise.all([here().create(one), there().create(other)]);
      assert.deepEqual(await there().findByInteraction(one.interaction), one);
      assert.deepEqual(await here().findByInteraction(other.interaction), other);
    });

    it('lets exactly one of twenty concurrent calls win', async () => {
      const interaction = randomUUID();
      const rivals = TWENTY.map(() => newTicket({ interaction }));
      const won = await Promise.all(rivals.map((ticket, number) => each(number).create(ticket)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.deepEqual(await there().findByInteraction(interaction), rivals[won.indexOf(true)]);
    });
  });

  describe('find', () => {
    it('returns undefined for a ticket that was never written', async () => {
      assert.equal(await there().find(newTicketId('never')), undefined);
      assert.equal(await there().find(''), undefined);
      assert.equal(await there().findByInteraction(randomUUID()), undefined);
    });

    it('returns each state as it was written', async () => {
      const first = newTicket();
      const { id, interaction } = first;
      await here().create(first);
      let before: Ticket = first;
      for (const next of allStates(first)) {
        assert.equal(await here().swap(before, next), true, next.state);
        assert.deepEqual(await there().find(id), next);
        assert.deepEqual(await there().findByInteraction(interaction), next);
        before = next;
      }
    });

    it('returns fields of a newer version that this one does not know', async () => {
      const ticket = { ...newTicket(), future: { list: [1, 'two', null] } };
      await here().create(ticket);
      assert.deepEqual(await there().find(ticket.id), ticket);
      const next = { ...toScanned(ticket), future: ticket.future };
      assert.equal(await here().swap(ticket, next), true);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), next);
    });

    it('returns every character that browsers and RPs may have sent', async () => {
      const text = 'a\nb "c" \\ \u0000 \u2028 ünïcödé 二维码 🔑 {"x":1} %s';
      const ticket = newTicket({ browser: { ...BROWSER, name: text, userAgent: text, place: { city: text } } });
      await here().create(ticket);
      assert.deepEqual(await there().find(ticket.id), ticket);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), ticket);
    });

    it('returns a copy: changes to it do not affect the store', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      Object.assign((await here().find(ticket.id)) ?? {}, { version: 99 });
      assert.deepEqual(await here().find(ticket.id), ticket);
    });
  });

  describe('swap', () => {
    it('replaces the version that it started from', async () => {
      const ticket = newTicket();
      const next = toScanned(ticket);
      await here().create(ticket);
      assert.equal(await there().swap(ticket, next), true);
      assert.deepEqual(await here().find(ticket.id), next);
      assert.deepEqual(await here().findByInteraction(ticket.interaction), next);
    });

    it('does not replace another version', async () => {
      const ticket = newTicket();
      const next = toScanned(ticket);
      await here().create(ticket);
      await here().swap(ticket, next);
      assert.equal(await there().swap(ticket, toScanned(ticket, { deadline: ticket.deadline + 1 })), false);
      assert.deepEqual(await there().find(ticket.id), next);
    });

    it('does not confuse version 1 with version 10', async () => {
      const ticket = newTicket({ version: 10 });
      await here().create(ticket);
      const stale = { ...ticket, version: 1 };
      assert.equal(await there().swap(stale, toScanned(stale)), false);
      assert.deepEqual(await there().find(ticket.id), ticket);
    });

    it('writes nothing if there is no ticket', async () => {
      const ticket = newTicket();
      assert.equal(await here().swap(ticket, toScanned(ticket)), false);
      assert.equal(await there().find(ticket.id), undefined);
      assert.equal(await there().findByInteraction(ticket.interaction), undefined);
    });

    it('lets exactly one of twenty concurrent calls win', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      const rivals = TWENTY.map((number) => toScanned(ticket, { deadline: ticket.deadline + number }));
      const won = await Promise.all(rivals.map((next, number) => each(number).swap(ticket, next)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.deepEqual(await there().find(ticket.id), rivals[won.indexOf(true)]);
    });
  });

  describe('a swap that replaces a ticket', () => {
    it('gives the interaction the new ticket, and keeps the final state of the old one under its id', async () => {
      const ticket = newTicket();
      const [next, ended] = [toFollower(ticket), toReplaced(ticket)];
      await here().create(ticket);
      assert.equal(await here().swap(ticket, next, ended), true);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), next);
      assert.deepEqual(await there().find(next.id), next);
      assert.deepEqual(await there().find(ticket.id), ended);
    });

    it('does not change the old ticket if no final state of it is given', async () => {
      const ticket = newTicket();
      const scanned = toScanned(ticket);
      await here().create(ticket);
      await here().swap(ticket, scanned);
      assert.equal(await here().swap(scanned, toFollower(scanned)), true);
      assert.deepEqual(await there().find(ticket.id), scanned);
    });

    it('writes nothing if the ticket has changed meanwhile', async () => {
      const ticket = newTicket();
      const [next, scanned] = [toFollower(ticket), toScanned(ticket)];
      await here().create(ticket);
      await there().swap(ticket, scanned);
      assert.equal(await here().swap(ticket, next, toReplaced(ticket)), false);
      assert.deepEqual(await there().find(ticket.id), scanned);
      assert.equal(await there().find(next.id), undefined);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), scanned);
    });

    it('lets exactly one of twenty concurrent calls win, and leaves nothing of the others', async () => {
      const ticket = newTicket();
      await here().create(ticket);
      const rivals = TWENTY.map(() => toFollower(ticket));
      const won = await Promise.all(rivals.map((next, number) => each(number).swap(ticket, next, toReplaced(ticket))));
      assert.equal(won.filter(Boolean).length, 1);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), rivals[won.indexOf(true)]);
      const found = await Promise.all(rivals.map(({ id }) => there().find(id)));
      assert.equal(found.filter((rival) => rival !== undefined).length, 1);
    });

    it('is final: no write brings any version of the replaced ticket back', async () => {
      const ticket = newTicket();
      const [next, ended] = [toFollower(ticket), toReplaced(ticket)];
      await here().create(ticket);
      await here().swap(ticket, next, ended);
      for (const previous of [ticket, ended]) {
        assert.equal(await there().swap(previous, toScanned(previous)), false);
        assert.equal(await there().swap(previous, toFollower(previous), toReplaced(previous)), false);
      }
      assert.deepEqual(await there().find(ticket.id), ended);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), next);
    });

    it('removes each ticket at its own deadline', async () => {
      const ticket = newTicket();
      const next = toFollower(ticket);
      await here().create(ticket);
      await here().swap(ticket, next, toReplaced(ticket, { deadline: Date.now() + SHORT_MS }));
      await untilGone(ticket);
      assert.deepEqual(await there().find(next.id), next);
      assert.deepEqual(await there().findByInteraction(ticket.interaction), next);
    });
  });

  describe('a deadline', () => {
    it('removes the ticket, also for its interaction', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await untilGone(ticket);
      assert.equal(await there().findByInteraction(ticket.interaction), undefined);
      assert.equal(await there().swap(ticket, toScanned(ticket)), false);
    });

    it('does not remove the ticket early', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await untilGone(ticket);
      // The two clocks agree to a few milliseconds.
      assert.ok(Date.now() > ticket.deadline - 20);
    });

    it('is that of the last state that was written', async () => {
      const { ticket: longer, deadline } = await createProlonged();
      const shorter = newTicket();
      await here().create(shorter);
      await here().swap(shorter, toScanned(shorter, { deadline: deadline + SHORT_MS }));
      await untilGone(shorter);
      assert.equal((await there().findByInteraction(longer.interaction))?.id, longer.id);
      assert.equal(await there().findByInteraction(shorter.interaction), undefined);
    });

    it('in the past leaves nothing behind', async () => {
      const ticket = newTicket({ deadline: Date.now() - 1000 });
      await here().create(ticket);
      await untilGone(ticket);
      assert.equal(await there().findByInteraction(ticket.interaction), undefined);
    });

    it('allows a new first ticket afterwards', async () => {
      const ticket = newTicket({ deadline: Date.now() + SHORT_MS });
      await here().create(ticket);
      await untilGone(ticket);
      assert.equal(await there().create(toFollower(ticket)), true);
    });
  });

  it('has the same clock in both processes', async () => {
    const { here, there } = engines();
    // Each process measures the offset by a round trip, which can take long on a slow machine.
    assert.ok(Math.abs(here.clock() - there.clock()) < 5_000);
  });

  it('refuses a ping while it takes no writes, and answers it afterwards', async () => {
    const { here, refuseWrites } = engines();
    if (refuseWrites === undefined) return;
    const end = await refuseWrites();
    try {
      await eventually('a ping is refused', () => isRefused(here.ping()));
    } finally {
      await end();
    }
    await eventually('a ping is answered', async () => !(await isRefused(here.ping())));
  });

  it('answers a ping, and hears other processes', async () => {
    await Promise.all([engines().here.ping(), engines().there.ping()]);
    assert.deepEqual([engines().here.hearsOthers(), engines().there.hearsOthers()], [true, true]);
  });
}

function isRefused(act: Promise<unknown>): Promise<boolean> {
  return act.then(
    () => false,
    () => true,
  );
}
