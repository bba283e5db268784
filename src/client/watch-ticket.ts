/** How the page learns of changes: an event stream; where that does not get through, a long poll; else a poll. */

export interface Ticket {
  version: number;
  state: 'waiting' | 'scanned' | 'approved' | 'denied' | 'expired' | 'redeemed' | 'cancelled';
  expiresIn: number;
  qr?: { url: string; svg?: string; rotatesIn: number; shortCode?: string };
  checkCode?: boolean;
  switchAccount?: true;
}

/** What is asked with it comes without pictures: the page draws by itself. */
export const NO_PICTURE = 'svg=no';

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
/** A server that is only in trouble lets a stream through again some time. */
const REFUSALS = 3;

const GONE = 'gone';
const TROUBLE = 'trouble';

/** @param until ends the watching: nothing is asked or told any more */
export async function watchTicket(self: string, watcher: Watcher, until: AbortSignal): Promise<void> {
  let refusals = 0;
  while (!until.aborted) {
    const end = await stream(self, watcher, until);
    if (end === 'held back' || refusals === REFUSALS) return pollForGood(self, watcher, until);
    refusals = end === 'broken' ? 0 : refusals + 1;
    if ((await askUntilAnswered(`${self}/qr?${NO_PICTURE}`, watcher, until)) === GONE) return;
  }
}

/** Listens for as long as that works. @returns why it does not any more */
function stream(self: string, { onTicket }: Watcher, until: AbortSignal): Promise<'held back' | 'refused' | 'broken'> {
  return new Promise((resolve) => {
    const source = new EventSource(`${self}/qr/events?${NO_PICTURE}`);
    const over = new AbortController();
    let worked = false;
    const end = (because: 'held back' | 'refused' | 'broken'): void => {
      clearTimeout(timer);
      over.abort();
      source.close();
      resolve(because);
    };
    until.addEventListener('abort', () => end('broken'), { signal: over.signal });
    const timer = setTimeout(() => end('held back'), FIRST_EVENT_WITHIN);
    source.addEventListener('ticket', (event) => {
      clearTimeout(timer);
      worked = true;
      onTicket(JSON.parse(event.data));
    });
    source.addEventListener('error', () => {
      // While it reconnects by itself there is nothing to do.
      if (source.readyState === EventSource.CLOSED) end(worked ? 'broken' : 'refused');
    });
  });
}

/** Asks now and then, until there is an answer: the server may be in trouble. */
export async function askUntilAnswered(
  url: string,
  watcher: Watcher,
  until: AbortSignal,
): Promise<number | typeof GONE | typeof TROUBLE | undefined> {
  for (;;) {
    const known = await ask(url, watcher, until);
    if (typeof known === 'number' || known === GONE || until.aborted) return known;
    await rest();
  }
}

/** No stream gets through here. */
async function pollForGood(self: string, watcher: Watcher, until: AbortSignal): Promise<void> {
  let known: number | undefined;
  let failures = 0;
  while (!until.aborted) {
    const waits = known !== undefined && failures < LONG_POLL_FAILURES;
    const after = waits ? `after=${known}&` : '';
    const answer = await ask(`${self}/qr?${after}${NO_PICTURE}`, watcher, until);
    if (answer === GONE) return;
    if (answer === undefined && waits) failures += 1;
    if (typeof answer === 'number') known = answer;
    if (typeof answer !== 'number' || failures >= LONG_POLL_FAILURES) await rest();
  }
}

/**
 * Asks once. @returns the version of the ticket that there is, or what the server says; undefined where there was no answer that
 * could be read, which is what a proxy makes of a long wait
 */
async function ask(
  url: string,
  { onTicket, onGone }: Watcher,
  signal: AbortSignal,
): Promise<number | typeof GONE | typeof TROUBLE | undefined> {
  try {
    const response = await fetch(url, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
    if (response.status === 404) {
      onGone();
      return GONE;
    }
    if (response.status === 429) await rest(Number(response.headers.get('Retry-After')) * 1000);
    if (response.status === 503 || response.status === 429) return TROUBLE;
    if (!response.ok) return undefined;
    const ticket: Ticket = await response.json();
    onTicket(ticket);
    return ticket.version;
  } catch {
    return undefined;
  }
}

export function rest(milliseconds: number = POLL_EVERY): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
