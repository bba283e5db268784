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

export function watchTicket(self: string, watcher: Watcher): void {
  const stream = new EventSource(`${self}/qr/events`);
  const giveUp = (): void => {
    clearTimeout(timer);
    stream.close();
    void poll(self, watcher);
  };
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

async function poll(self: string, { onTicket, onGone }: Watcher): Promise<void> {
  let known: number | undefined;
  let failures = 0;
  for (;;) {
    const waits = known !== undefined && failures < LONG_POLL_FAILURES;
    const response = await get(waits ? `${self}/qr?after=${known}` : `${self}/qr`);
    if (response?.ok) {
      const ticket: Ticket = await response.json();
      known = ticket.version;
      onTicket(ticket);
    } else if (response?.status === 404) {
      onGone();
      return;
    } else if (waits) {
      failures += 1;
    }
    if (!response?.ok || failures >= LONG_POLL_FAILURES)
      await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
  }
}

/** Undefined where there was no answer at all. */
async function get(url: string): Promise<Response | undefined> {
  try {
    return await fetch(url, { headers: { Accept: 'application/json' }, cache: 'no-store' });
  } catch {
    return undefined;
  }
}
