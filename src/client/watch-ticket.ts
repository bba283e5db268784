/** How the page learns of changes: an event stream; where that does not get through, a long poll; else a poll. */

export interface Ticket {
  version: number;
  state: 'waiting' | 'scanned' | 'approved' | 'denied' | 'expired' | 'redeemed' | 'cancelled';
  expiresIn: number;
  qr?: { url: string; svg: string; rotatesIn: number };
  checkCode?: boolean;
  switchAccount?: true;
}

export interface Watcher {
  onTicket: (ticket: Ticket) => void;
  /** The interaction has ended: there is nothing to watch any more. */
  onGone: () => void;
}

/** A stream says something at once; one that does not is held back by a proxy. */
const FIRST_EVENT_WITHIN = 5_000;
const POLL_EVERY = 3_000;
/** A proxy that cuts long polls short does it again. */
const LONG_POLL_FAILURES = 2;

/** @param until ends the watching: nothing is asked or told any more */
export function watchTicket(self: string, watcher: Watcher, until: AbortSignal): void {
  const stream = new EventSource(`${self}/qr/events`);
  const stop = (): void => {
    clearTimeout(timer);
    stream.close();
  };
  const giveUp = (): void => {
    stop();
    void poll(self, watcher, until);
  };
  until.addEventListener('abort', stop);
  const timer = setTimeout(giveUp, FIRST_EVENT_WITHIN);
  stream.addEventListener('ticket', (event) => {
    clearTimeout(timer);
    watcher.onTicket(JSON.parse(event.data));
  });
  stream.addEventListener('error', () => {
    // While it reconnects by itself there is nothing to do.
    if (stream.readyState === EventSource.CLOSED) giveUp();
  });
}

async function poll(self: string, { onTicket, onGone }: Watcher, until: AbortSignal): Promise<void> {
  let known: number | undefined;
  let failures = 0;
  while (!until.aborted) {
    const waits = known !== undefined && failures < LONG_POLL_FAILURES;
    const answer = await get(waits ? `${self}/qr?after=${known}` : `${self}/qr`, until);
    if (until.aborted) return;
    if (answer?.status === 404) {
      onGone();
      return;
    }
    if (answer?.ticket !== undefined) {
      known = answer.ticket.version;
      onTicket(answer.ticket);
    } else if (waits) {
      failures += 1;
    }
    const rest = answer?.ticket === undefined || failures >= LONG_POLL_FAILURES;
    if (rest) await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
  }
}

/** Undefined where there was no answer, or none that could be read. */
async function get(url: string, signal: AbortSignal): Promise<{ status: number; ticket?: Ticket } | undefined> {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
    return { status: response.status, ...(response.ok && { ticket: await response.json() }) };
  } catch {
    return undefined;
  }
}
