import { type Counter, findMeter, type Histogram } from '../../stores/meter.ts';
import type { Ticket } from '../../ticket/ticket.ts';

/**
 * The upper bounds of the buckets, in seconds. A signal between two processes takes milliseconds. If it gets lost, the
 * change is noticed when the store is next reread, which happens every ten seconds.
 */
const NOTIFICATION_BOUNDARIES_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The upper bounds of the buckets, in seconds. Scanning and deciding takes a user seconds to minutes. */
const SIGN_IN_BOUNDARIES_S = [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240, 360];

/** The states of a ticket that the metrics count. */
export type CountedState = 'shown' | 'finished' | 'denied' | 'cancelled' | 'expired';

/** The metrics of clients that wait. */
export type WaitMetrics = Pick<SignInMetrics, 'countArrival' | 'countDeparture' | 'recordNotification'>;

/** The metrics of this process. The OpenTelemetry SDK of the deployment collects them; without an SDK they are lost. */
export class SignInMetrics {
  readonly #waiting: Counter;
  readonly #tickets: Counter;
  readonly #signIn: Histogram;
  readonly #notification: Histogram;
  #waitingNow = 0;

  constructor() {
    const meter = findMeter();
    this.#waiting = meter.createUpDownCounter('qr_login.waiting', {
      unit: '{browser}',
      description: 'Browsers that wait on a stream or a long poll.',
    });
    this.#tickets = meter.createCounter('qr_login.tickets', {
      unit: '{ticket}',
      description: 'Tickets that were shown, and how they ended.',
    });
    this.#signIn = meter.createHistogram('qr_login.sign_in.duration', {
      unit: 's',
      description: 'From the code on the screen to the browser that is signed in.',
      advice: { explicitBucketBoundaries: SIGN_IN_BOUNDARIES_S },
    });
    this.#notification = meter.createHistogram('qr_login.notification.duration', {
      unit: 's',
      description: 'From the approval to the browser that is told of it.',
      advice: { explicitBucketBoundaries: NOTIFICATION_BOUNDARIES_S },
    });
  }

  /** The number of browsers that wait at this process. */
  get waiting(): number {
    return this.#waitingNow;
  }

  /** Counts a browser that starts to wait. */
  countArrival(): void {
    this.#wait(1);
  }

  /** Counts a browser that no longer waits. To be called once for each `countArrival`. */
  countDeparture(): void {
    this.#wait(-1);
  }

  count(state: CountedState, ticket: Pick<Ticket, 'shownAt' | 'since'>): void {
    this.#tickets.add(1, { state });
    if (state === 'finished') this.#signIn.record((ticket.since - ticket.shownAt) / 1000);
  }

  recordNotification(ticket: Ticket | undefined, now: number): void {
    if (ticket?.state === 'approved') this.#notification.record(Math.max(0, now - ticket.since) / 1000);
  }

  #wait(by: 1 | -1): void {
    this.#waitingNow += by;
    this.#waiting.add(by);
  }
}
