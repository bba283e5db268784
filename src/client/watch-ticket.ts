/** Watches the ticket by an event stream, or by a long poll if no stream gets through, or by a poll if neither does. */

export interface Ticket {
  version: number;
  state: 'waiting' | 'scanned' | 'approved' | 'denied' | 'expired' | 'redeemed' | 'cancelled';
  expiresIn: number;
  qr?: { url: string; svg?: string; rotatesIn: number; shortCode?: string };
  checkCode?: boolean;
  because?: string;
  switchAccount?: true;
  key?: 'sign' | 'make';
}

/** A request with this parameter is answered without pictures, because the page draws the codes itself. */
export const NO_PICTURE = 'svg=no';

export interface Watcher {
  onTicket: (ticket: Ticket) => void;
  /** Called when the interaction has ended. The watching ends, too. */
  onGone: () => void;
}

/** The server sends an event at once. If none arrives in this time, a proxy holds the stream back. */
const FIRST_EVENT_WITHIN_MS = 5_000;
const POLL_EVERY_MS = 3_000;
/** After this many long polls without a readable answer, the page only polls: a proxy cuts them short each time. */
const LONG_POLL_FAILURES = 2;
/** After this many refused streams in a row, the page stops trying. Fewer may be a temporary failure of the server. */
const MAX_REFUSALS = 3;

const GONE = 'gone';
const TROUBLE = 'trouble';

/** Reports each change of the ticket until the interaction has ended. @param until ends all requests and reports */
export async function watchTicket(self: string, watcher: Watcher, until: AbortSignal): Promise<void> {
  let refusals = 0;
  while (!until.aborted) {
    const end = await stream(self, watcher, until);
    if (end === 'held back' || refusals === MAX_REFUSALS) return pollForGood(self, watcher, until);
    refusals = end === 'broken' ? 0 : refusals + 1;
    if ((await askUntilAnswered(`${self}/qr?${NO_PICTURE}`, watcher, until)) === GONE) return;
  }
}

/** Listens to the event stream until it ends. @returns the reason why it has ended */
function stream(self: string, { onTicket }: Watcher, until: AbortSignal): Promise<'held back' | 'refused' | 'broken'> {
  return new Promise((resolve) => {
    const source = new EventSource(`${self}/qr/events?${NO_PICTURE}`);
    const ended = new AbortController();
    let hasWorked = false;
    const end = (reason: 'held back' | 'refused' | 'broken'): void => {
      clearTimeout(timer);
      ended.abort();
      source.close();
      resolve(reason);
    };
    until.addEventListener('abort', () => end('broken'), { signal: ended.signal });
    const timer = setTimeout(() => end('held back'), FIRST_EVENT_WITHIN_MS);
    source.addEventListener('ticket', (event) => {
      clearTimeout(timer);
      hasWorked = true;
      onTicket(JSON.parse(event.data));
    });
    source.addEventListener('error', () => {
      // Otherwise the browser reconnects by itself.
      if (source.readyState === EventSource.CLOSED) end(hasWorked ? 'broken' : 'refused');
    });
  });
}

/** Asks every few seconds until the server answers with a ticket, or with 404, or until `until` is aborted. */
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

/** Polls until the end, because no stream gets through to this browser. */
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
 * Asks once.
 * @returns the version of the ticket; `GONE` after a 404; `TROUBLE` after a 503 or 429; undefined if there was no
 * readable answer, for example because a proxy has cut a long poll short
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

export function rest(milliseconds: number = POLL_EVERY_MS): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
