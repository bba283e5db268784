/** The contract of an engine's signals: a listener in one process gets the changes that another process writes. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { Ears } from './ears.ts';
import type { Engines } from './engine-contract.ts';
import { changed, endOf, follower, newTicket } from './tickets.ts';

export function signalsContract(engines: () => Engines): void {
  const store = () => engines().here.store;

  /** Subscribes and then reads, as the pages do. */
  async function listen(interaction: string): Promise<Ears> {
    const { signals, store } = engines().there;
    const ears = new Ears(signals, interaction);
    await store.findByInteraction(interaction);
    return ears;
  }

  /** Waits until all earlier signals have arrived: sends one more to another listener of the same process. */
  async function settled(): Promise<void> {
    const mark = newTicket();
    const ears = await listen(mark.interaction);
    await store().create(mark);
    await ears.hears(1);
    ears.stop();
  }

  /** Creates a ticket and changes it once. @returns the changed ticket */
  async function createdAndChanged(ticket: Ticket): Promise<Ticket> {
    const next = changed(ticket);
    await store().create(ticket);
    await store().swap(ticket, next);
    return next;
  }

  describe('listeners', () => {
    it('get the whole ticket for each change, in order', async () => {
      const ticket = newTicket();
      const ears = await listen(ticket.interaction);
      const scanned = await createdAndChanged(ticket);
      await ears.hears(2);
      expect(ears.heard).to.deep.equal([ticket, scanned]);
    });

    it('get one signal if a ticket is replaced, with the new ticket', async () => {
      const ticket = newTicket();
      const next = follower(ticket);
      await store().create(ticket);
      const ears = await listen(ticket.interaction);
      await store().swap(ticket, next, endOf(ticket));
      await ears.hears(1);
      await settled();
      expect(ears.heard).to.deep.equal([next]);
    });

    it('get a hundred changes, and none of them twice', async () => {
      const first = newTicket();
      const ears = await listen(first.interaction);
      await store().create(first);
      let ticket: Ticket = first;
      for (let count = 1; count < 100; count++) {
        const next = changed(ticket);
        await store().swap(ticket, next);
        ticket = next;
      }
      await ears.hears(100);
      await settled();
      expect(ears.heard.map(({ version }) => version)).to.deep.equal(Array.from({ length: 100 }, (_, n) => n + 1));
    });

    it('find the ticket of a signal in the store, or a newer one', async () => {
      const ticket = newTicket();
      const { signals, store: read } = engines().there;
      const found = new Promise<Ticket | undefined>((resolve) => {
        signals.subscribe(ticket.interaction, { hear: (heard) => resolve(read.find(heard?.id ?? '')) });
      });
      await read.findByInteraction(ticket.interaction);
      await store().create(ticket);
      expect(await found).to.deep.equal(ticket);
    });

    it('get no signal for a write that was refused', async () => {
      const ticket = newTicket();
      const scanned = await createdAndChanged(ticket);
      const ears = await listen(ticket.interaction);
      await store().create(follower(ticket));
      await store().swap(ticket, changed(ticket));
      await store().swap(ticket, follower(ticket), endOf(ticket));
      await settled();
      expect(ears.heard).to.deep.equal([]);
      expect(await engines().there.store.find(ticket.id)).to.deep.equal(scanned);
    });

    it('of the same interaction all get the signal, also in the process that writes', async () => {
      const ticket = newTicket();
      const { here } = engines();
      const watchers = await Promise.all([listen(ticket.interaction), listen(ticket.interaction)]);
      const own = new Ears(here.signals, ticket.interaction);
      await here.store.findByInteraction(ticket.interaction);
      await store().create(ticket);
      for (const ears of [...watchers, own]) {
        await ears.hears(1);
        expect(ears.heard).to.deep.equal([ticket]);
      }
    });

    it('of other interactions get no signal', async () => {
      const ears = await listen(randomUUID());
      await store().create(newTicket());
      await settled();
      expect(ears.heard).to.deep.equal([]);
    });

    it('that subscribe later get the later changes', async () => {
      const ticket = newTicket();
      await store().create(ticket);
      const ears = await listen(ticket.interaction);
      await store().swap(ticket, changed(ticket));
      await ears.hears(1);
      expect(ears.heard.map(({ state }) => state)).to.deep.equal(['scanned']);
    });

    it('get no more signals after they stop, but the others do', async () => {
      const ticket = newTicket();
      const [one, other] = [await listen(ticket.interaction), await listen(ticket.interaction)];
      one.stop();
      await store().create(ticket);
      await other.hears(1);
      expect(one.heard).to.deep.equal([]);
    });

    it('that stop twice do not stop another one that has subscribed in between', async () => {
      const ticket = newTicket();
      const one = await listen(ticket.interaction);
      one.stop();
      const other = await listen(ticket.interaction);
      one.stop();
      await store().create(ticket);
      await other.hears(1);
      expect(one.heard).to.deep.equal([]);
    });

    it('that stop during a signal do not keep it from the others', async () => {
      const ticket = newTicket();
      const heard: string[] = [];
      const { signals } = engines().there;
      const one = {
        hear: () => {
          heard.push('one');
          signals.unsubscribe(ticket.interaction, one);
        },
      };
      signals.subscribe(ticket.interaction, one);
      const other = await listen(ticket.interaction);
      await createdAndChanged(ticket);
      await other.hears(2);
      expect(heard).to.deep.equal(['one']);
    });
  });
}
