import type { Clock } from '../../ticket/ports.ts';
import type { Ticket } from '../../ticket/ticket.ts';
import type { StreamStyle } from '../streams/connection.ts';
import { EventStreams } from '../streams/event-streams.ts';
import { LongPolls } from '../streams/long-poll.ts';
import { OwnerWatch, type OwnerWatchPorts, ownerDueAt, UNCOUNTED } from '../streams/owner-watch.ts';
import type { WatchViews } from '../streams/ticket-watch.ts';
import type { AppViewer, AppViews } from './app-view.ts';

/** An app that waits for changes of the ticket that it has scanned. */
export class AppWatch extends OwnerWatch {
  readonly viewer: AppViewer;

  /** @param endsAt the end of the waiting, in milliseconds since the epoch */
  constructor(ports: OwnerWatchPorts, viewer: AppViewer, ticket: Ticket, endsAt: number) {
    super(ports, viewer, ticket, endsAt);
    this.viewer = viewer;
  }
}

/** The streams and long polls of apps. */
export interface AppStreams {
  readonly streams: EventStreams<AppWatch>;
  readonly longPolls: LongPolls<AppWatch>;
}

export function makeAppStreams(views: AppViews, clock: Clock, style: StreamStyle): AppStreams {
  const watched: WatchViews<AppWatch> = {
    draw: (ticket, _now, { viewer }) => views.draw(ticket, viewer),
    redraw: (shown, now, { viewer }) => views.drawExpired(shown, now, viewer),
    dueAt: ownerDueAt,
  };
  return {
    streams: new EventStreams({ views: watched, clock, metrics: UNCOUNTED, style, parker: undefined }),
    longPolls: new LongPolls(watched, clock, UNCOUNTED),
  };
}
