/** The contract of an engine's signals: a listener in one process gets the changes that another process writes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Ticket } from '../../ticket/ticket.ts';
import { RecordingListener } from './recording-listener.ts';
import { newTicket, toFollower, toReplaced, toScanned } from './sample-tickets.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

export function signalsContract({ describe, it }: TestRunner, engines: () => EnginePair): void {
  const store = () => engines().here.store;

  /** Subscribes and then reads, as the pages do. */
  async function listen(interaction: string): Promise<RecordingListener> {
    const { signals, store } = engines().there;
    const ears = new RecordingListener(signals, interaction);
    await store.findByInteraction(interaction);
    return ears;
  }

  /** Waits until all earlier signals have arrived: sends one more to another listener of the same process. */
  async function untilSettled(): Promise<void> {
    const mark = newTicket();
    const ears = await listen(mark.interaction);
    await store().create(mark);
    await ears.untilHeard(1);
    ears.stop();
  }

  /** Creates a ticket and changes it once. @returns the changed ticket */
  async function createAndChange(ticket: Ticket): Promise<Ticket> {
    const next = toScanned(ticket);
    await store().create(ticket);
    await store().swap(ticket, next);
    return next;
  }

  describe('listeners', () => {
    it('get the whole ticket for each change, in order', async () => {
      const ticket = newTicket();
      const ears = await listen(ticket.interaction);
      const scanned = await createAndChange(ticket);
      await ears.untilHeard(2);
      assert.deepEqual(ears.heard, [ticket, scanned]);
    });

    it('get one signal if a ticket is replaced, with the new ticket', async () => {
      const ticket = newTicket();
      const next = toFollower(ticket);
      await store().create(ticket);
      const ears = await listen(ticket.interaction);
      await store().swap(ticket, next, toReplaced(ticket));
      await ears.untilHeard(1);
      await untilSettled();
      assert.deepEqual(ears.heard, [next]);
    });

    it('get a hundred changes, and none of them twice', async () => {
      const first = newTicket();
      const ears = await listen(first.interaction);
      await store().create(first);
      let ticket: Ticket = first;
      for (let count = 1; count < 100; count++) {
        const next = toScanned(ticket);
        await store().swap(ticket, next);
        ticket = next;
      }
      await ears.untilHeard(100);
      await untilSettled();
      assert.deepEqual(
        ears.heard.map(({ version }) => version),
        Array.from({ length: 100 }, (_, n) => n + 1),
      );
    });

    it('find the ticket of a signal in the store, or a newer one', async () => {
      const ticket = newTicket();
      const { signals, store: read } = engines().there;
      const found = new Promise<Ticket | undefined>((resolve) => {
        signals.subscribe(ticket.interaction, { hear: (heard) => resolve(read.find(heard?.id ?? '')) });
      });
      await read.findByInteraction(ticket.interaction);
      await store().create(ticket);
      assert.deepEqual(await found, ticket);
    });

    it('get no signal for a write that was refused', async () => {
      const ticket = newTicket();
      const scanned = await createAndChange(ticket);
      const ears = await listen(ticket.interaction);
      await store().create(toFollower(ticket));
      await store().swap(ticket, toScanned(ticket));
      await store().swap(ticket, toFollower(ticket), toReplaced(ticket));
      await untilSettled();
      assert.deepEqual(ears.heard, []);
      assert.deepEqual(await engines().there.store.find(ticket.id), scanned);
    });

    it('of the same interaction all get the signal, also in the process that writes', async () => {
      const ticket = newTicket();
      const { here } = engines();
      const watchers = await Promise.all([listen(ticket.interaction), listen(ticket.interaction)]);
      const own = new RecordingListener(here.signals, ticket.interaction);
      await here.store.findByInteraction(ticket.interaction);
      await store().create(ticket);
      for (const ears of [...watchers, own]) {
        await ears.untilHeard(1);
        assert.deepEqual(ears.heard, [ticket]);
      }
    });

    it('of other interactions get no signal', async () => {
      const ears = await listen(randomUUID());
      await store().create(newTicket());
      await untilSettled();
      assert.deepEqual(ears.heard, []);
    });

    it('that subscribe later get the later changes', async () => {
      const ticket = newTicket();
      await store().create(ticket);
      const ears = await listen(ticket.interaction);
      await store().swap(ticket, toScanned(ticket));
      await ears.untilHeard(1);
      assert.deepEqual(
        ears.heard.map(({ state }) => state),
        ['scanned'],
      );
    });

    it('get no more signals after they stop, but the others do', async () => {
      const ticket = newTicket();
      const [one, other] = [await listen(ticket.interaction), await listen(ticket.interaction)];
      one.stop();
      await store().create(ticket);
      await other.untilHeard(1);
      assert.deepEqual(one.heard, []);
    });

    it('that stop twice do not stop a listener that has subscribed in between', async () => {
      const ticket = newTicket();
      const one = await listen(ticket.interaction);
      one.stop();
      const other = await listen(ticket.interaction);
      one.stop();
      await store().create(ticket);
      await other.untilHeard(1);
      assert.deepEqual(one.heard, []);
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
      await createAndChange(ticket);
      await other.untilHeard(2);
      assert.deepEqual(heard, ['one']);
    });
  });
}
