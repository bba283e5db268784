import type { PhoneActs } from '../../ticket/phone.ts';
import type { Clock, Listener, Signals } from '../../ticket/ports.ts';
import { isLive, isOwner, type Ticket } from '../../ticket/ticket.ts';
import type { WaitMetrics } from '../events/metrics.ts';
import { EventStreams } from '../streams/event-streams.ts';
import { LongPolls } from '../streams/long-poll.ts';
import type { Watch, WatchViews } from '../streams/ticket-watch.ts';
import type { AppViewer, AppViews } from './app-view.ts';

/** The ports that a watch reads and subscribes with. */
export interface AppWatchPorts {
  readonly ceremony: { readonly phone: Pick<PhoneActs, 'preview'> };
  readonly signals: Signals;
}

/** An app that waits for changes of the ticket that it has scanned. */
export class AppWatch implements Watch {
  readonly #ports: AppWatchPorts;
  readonly #interaction: string;
  readonly viewer: AppViewer;
  readonly endsAt: number;
  #wrapper: Listener | undefined;

  /** @param endsAt the end of the waiting, in milliseconds since the epoch */
  constructor(ports: AppWatchPorts, viewer: AppViewer, { interaction }: Ticket, endsAt: number) {
    this.#ports = ports;
    this.#interaction = interaction;
    this.viewer = viewer;
    this.endsAt = endsAt;
  }

  get rereadEvery(): number {
    return this.#ports.signals.rereadEvery;
  }

  /** Returns the ticket, or undefined if it is gone or another account has taken it over. */
  async read(): Promise<Ticket | undefined> {
    const ticket = await this.#ports.ceremony.phone.preview(this.viewer.id);
    return ticket !== undefined && isOwner(ticket, this.viewer.approver) ? ticket : undefined;
  }

  /** A signal about the next ticket of the interaction, or about one of another approver, only makes the app read. */
  subscribe(listener: Listener): void {
    const { id, approver } = this.viewer;
    const isMine = (ticket: Ticket): boolean => ticket.id === id && isOwner(ticket, approver);
    this.#wrapper = { hear: (ticket) => listener.hear(ticket !== undefined && isMine(ticket) ? ticket : undefined) };
    this.#ports.signals.subscribe(this.#interaction, this.#wrapper);
  }

  unsubscribe(): void {
    if (this.#wrapper !== undefined) this.#ports.signals.unsubscribe(this.#interaction, this.#wrapper);
    this.#wrapper = undefined;
  }
}

/** Apps are not counted among the waiting browsers. */
const UNCOUNTED: WaitMetrics = { arrived: () => undefined, left: () => undefined, notified: () => undefined };

/** The streams and long polls of apps. */
export interface AppStreams {
  readonly streams: EventStreams<AppWatch>;
  readonly longPolls: LongPolls<AppWatch>;
}

export function makeAppStreams(views: AppViews, clock: Clock): AppStreams {
  const watched: WatchViews<AppWatch> = {
    draw: (ticket, _now, { viewer }) => views.draw(ticket, viewer),
    redraw: (shown, now, { viewer }) => views.drawExpired(shown, now, viewer),
    dueAt: (shown, now) => (shown !== undefined && isLive(shown, now) ? shown.deadline : Number.POSITIVE_INFINITY),
  };
  return {
    streams: new EventStreams({ views: watched, clock, metrics: UNCOUNTED, parker: undefined }),
    longPolls: new LongPolls(watched, clock, UNCOUNTED),
  };
}
