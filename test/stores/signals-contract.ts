/** What every way to tell of a ticket's changes has to do. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Signals } from '../../src/ticket/ports.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import { redeemed, scanned, waiting } from '../ticket/builders.ts';

export interface SignalsUnderTest {
  readonly signals: Signals;
  /** Waits until subscriptions made so far hold, and signals published so far have arrived. */
  readonly settled: () => Promise<void>;
  readonly close: () => void | Promise<void>;
}

export function signalsContract(name: string, makeSignals: () => SignalsUnderTest | Promise<SignalsUnderTest>): void {
  describe(`${name} as signals`, () => {
    let made: SignalsUnderTest;
    let interaction: string;

    beforeEach(async () => {
      made = await makeSignals();
      interaction = randomUUID();
    });

    afterEach(() => made.close());

    /** Subscribes, and collects what is heard. */
    async function listen(to: string): Promise<{ heard: Ticket[]; stop: () => void }> {
      const heard: Ticket[] = [];
      const stop = made.signals.subscribe(to, (ticket) => heard.push(ticket));
      await made.settled();
      return { heard, stop };
    }

    async function publish(ticket: Ticket): Promise<void> {
      await made.signals.publish(ticket);
      await made.settled();
    }

    it('a watcher hears of each change, whole and in order', async () => {
      const { heard } = await listen(interaction);
      const changes = [waiting({ interaction }), scanned({ interaction }), redeemed({ interaction })];
      for (const ticket of changes) await made.signals.publish(ticket);
      await made.settled();
      expect(heard).to.deep.equal(changes);
    });

    it('every watcher of an interaction hears of it', async () => {
      const watchers = await Promise.all([listen(interaction), listen(interaction), listen(interaction)]);
      await publish(waiting({ interaction }));
      for (const { heard } of watchers) expect(heard).to.have.length(1);
    });

    it('nobody hears of other interactions', async () => {
      const { heard } = await listen(interaction);
      await publish(waiting({ interaction: randomUUID() }));
      expect(heard).to.deep.equal([]);
    });

    it('nobody need listen', async () => {
      await publish(waiting({ interaction }));
    });

    it('who comes later hears of what comes later', async () => {
      await publish(waiting({ interaction }));
      const { heard } = await listen(interaction);
      await publish(scanned({ interaction }));
      expect(heard.map(({ state }) => state)).to.deep.equal(['scanned']);
    });

    it('who stops hears no more, and the others go on', async () => {
      const [one, other] = [await listen(interaction), await listen(interaction)];
      one.stop();
      await publish(waiting({ interaction }));
      expect(one.heard).to.deep.equal([]);
      expect(other.heard).to.have.length(1);
    });

    it('stopping twice stops nobody else, not even who came in between', async () => {
      const one = await listen(interaction);
      one.stop();
      const other = await listen(interaction);
      one.stop();
      await publish(waiting({ interaction }));
      expect(one.heard).to.deep.equal([]);
      expect(other.heard).to.have.length(1);
    });

    it('who stops upon a signal does not keep it from the others', async () => {
      const heard: string[] = [];
      const stop = made.signals.subscribe(interaction, () => {
        heard.push('one');
        stop();
      });
      made.signals.subscribe(interaction, () => heard.push('other'));
      await made.settled();
      await publish(waiting({ interaction }));
      await publish(scanned({ interaction }));
      expect(heard).to.deep.equal(['one', 'other', 'other']);
    });
  });
}
