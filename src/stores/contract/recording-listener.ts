import type { Listener, Signals } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import { eventually } from './eventually.ts';

/** A listener that records the changes of one interaction. */
export class RecordingListener implements Listener {
  /** The tickets that the listener got, in order. */
  readonly heard: Ticket[] = [];
  /** The number of signals that a change may have been missed. */
  doubts = 0;
  readonly stop: () => void;

  constructor(signals: Signals, interaction: string) {
    signals.subscribe(interaction, this);
    this.stop = () => signals.unsubscribe(interaction, this);
  }

  hear(ticket: Ticket | undefined): void {
    if (ticket === undefined) this.doubts += 1;
    else this.heard.push(ticket);
  }

  get last(): Ticket | undefined {
    return this.heard.at(-1);
  }

  /** Waits until the listener got `count` tickets. @param patience the longest wait in milliseconds */
  untilHeard(count: number, patience?: number): Promise<void> {
    return eventually(`hears ${count} changes`, () => this.heard.length >= count, patience);
  }

  untilInDoubt(before: number = this.doubts): Promise<void> {
    return eventually('is told that something may have been missed', () => this.doubts > before);
  }
}
