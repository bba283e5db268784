/**
 * Follows the ticket of a page on the phone by long polls, and replaces this page by each next one. If a proxy ends
 * long polls early, it uses plain polls.
 */
import { pause } from '../requests.ts';
import { RECENT_MS } from '../ticket/ticket-stream.ts';
import { whenHidden, whenVisible, whenWoken } from '../ticket/visibility.ts';
import { STATE, showPage } from './next-page.ts';

/** The server answers after at most 25 s. */
const ANSWER_WITHIN_MS = 35_000;
const RETRY_AFTER_MS = 3_000;
/** An answer without news in less time than this means that the server did not wait. */
const SHORTEST_WAIT_MS = 1_000;

/** An answer: the next page, with the state of its ticket; `ended` if there will be none. */
type Answer = { readonly state: string; readonly page: string } | 'no news' | 'ended';

/**
 * Follows the ticket until it has ended. A page that is hidden rests, and asks once it is visible again.
 * @param onPage called with the state of the ticket when the next page is there
 */
export async function followTicket(onPage: (state: string) => void): Promise<void> {
  for (let main = findFollowedMain(); main !== null; main = findFollowedMain()) {
    await whenVisible(new AbortController().signal);
    const askedAt = Date.now();
    // Undefined if the phone is offline, the server limits requests or restarts, or a proxy has answered: ask later.
    const answer = await ask(main).catch(() => undefined);
    // A decision has replaced the page meanwhile.
    if (main !== findFollowedMain()) continue;
    if (answer === 'ended') return end(main);
    if (typeof answer === 'object') {
      showPage(answer.page);
      onPage(answer.state);
    } else if (answer === undefined || Date.now() - askedAt < SHORTEST_WAIT_MS) await pause(RETRY_AFTER_MS);
  }
}

function findFollowedMain(): HTMLElement | null {
  return document.querySelector<HTMLElement>('main[data-follow]');
}

/**
 * Asks once for the next page.
 * @throws TypeError if there is no answer; DOMException if it takes too long, or if the page does not need it any more
 */
async function ask({ dataset }: HTMLElement): Promise<Answer | undefined> {
  const askedAt = Date.now();
  const unwanted = new AbortController();
  const answered = new AbortController();
  const abort = (): void => unwanted.abort();
  const timer = setTimeout(abort, ANSWER_WITHIN_MS);
  const stop = whenHidden(abort);
  // A woken page must not wait for an answer on a connection that has died.
  whenWoken(() => Date.now() - askedAt > RECENT_MS && abort(), answered.signal);
  try {
    const response = await fetch(`${dataset.follow}?after=${dataset.version}`, {
      headers: { Accept: 'text/html' },
      cache: 'no-store',
      // The provider never redirects these requests. A captive portal does.
      redirect: 'error',
      signal: unwanted.signal,
    });
    const state = response.headers.get(STATE);
    if (state === null || response.status >= 429) return undefined;
    if (!response.ok) return 'ended';
    return response.status === 204 ? 'no news' : { state, page: await response.text() };
  } finally {
    clearTimeout(timer);
    stop();
    answered.abort();
  }
}

/**
 * Handles a ticket that is gone, or a phone that has signed out. A page with a question is reloaded, because the
 * question cannot be answered any more. A page about a decision stays, because the decision still holds.
 */
function end({ dataset }: HTMLElement): void {
  if (dataset.state === 'scanned') location.reload();
}
