/**
 * Watches the ticket by an event stream, or by a long poll if no stream gets through, or by a poll if neither does. A
 * connection that says nothing for too long is replaced: after a sleep, or behind some NATs, it never ends by itself.
 */
import { pause } from '../requests.ts';
import { GONE, NO_PICTURE, POLL_EVERY_MS, requestTicket, requestUntilAnswered, type TicketAnswer } from './ticket.ts';
import { RECENT_MS, type StreamEnd, streamTicket, type Watcher } from './ticket-stream.ts';
import { whenHidden, whenVisible, whenWoken } from './visibility.ts';

/** The server answers a long poll after at most 25 s. */
const LONG_POLL_WITHIN_MS = 35_000;
/** Two equal answers to a long poll in less time than this mean that the server does not wait. */
const SHORTEST_LONG_POLL_MS = 1_000;
/** After this many long polls without a readable answer, the page only polls: a proxy cuts them short each time. */
const LONG_POLL_FAILURES = 2;

/** The number of streams that may end in the same way one after another before the page polls instead. */
const MAX_IN_A_ROW: Readonly<Record<StreamEnd, number>> = {
  'held back': 0,
  silent: 1,
  refused: 3,
  broken: Number.POSITIVE_INFINITY,
};

/** The outcome of a poll that was given up: the page was woken, or does not need the answer any more. */
const GIVEN_UP = 'given up';

/**
 * Reports each change of the ticket until the interaction has ended. A hidden page holds no connection: once it is
 * visible again, it reports the ticket as it is then.
 * @param until ends all requests and reports
 */
export class TicketWatch {
  readonly #interactionUrl: string;
  readonly #watcher: Watcher;
  readonly #until: AbortSignal;
  /** True once it is known that streams do not get through. */
  #polls = false;

  constructor(interactionUrl: string, watcher: Watcher, until: AbortSignal) {
    this.#interactionUrl = interactionUrl;
    this.#watcher = watcher;
    this.#until = until;
  }

  async run(): Promise<void> {
    while (!this.#until.aborted) {
      const hidden = new AbortController();
      const stop = whenHidden(() => hidden.abort());
      const end = (): void => hidden.abort();
      this.#until.addEventListener('abort', end);
      const isGone = await this.#follow(hidden.signal);
      this.#until.removeEventListener('abort', end);
      stop();
      if (isGone) return this.#watcher.onGone();
      await whenVisible(this.#until);
    }
  }

  /** Follows the ticket until `until` is aborted. @returns true if the interaction has ended first */
  async #follow(until: AbortSignal): Promise<boolean> {
    let last: StreamEnd | undefined;
    let inARow = 0;
    while (!this.#polls && !until.aborted) {
      const end = await streamTicket(this.#interactionUrl, this.#watcher, until);
      if (until.aborted) return false;
      inARow = end === last ? inARow + 1 : 0;
      last = end;
      this.#polls = inARow >= MAX_IN_A_ROW[end];
      if (this.#polls) break;
      const url = `${this.#interactionUrl}/qr?${NO_PICTURE}`;
      if (this.#report(await requestUntilAnswered(url, until, this.#watcher.onSilence))) return true;
    }
    return this.#poll(until);
  }

  /** Polls, because no stream gets through to this browser. @returns true if the interaction has ended */
  async #poll(until: AbortSignal): Promise<boolean> {
    if (await this.#longPoll(until)) return true;
    while (!until.aborted) {
      if ((await this.#pollOnce(undefined, until)) === GONE) return true;
      await pause(POLL_EVERY_MS);
    }
    return false;
  }

  /** Sends long polls until they turn out not to work. @returns true if the interaction has ended */
  async #longPoll(until: AbortSignal): Promise<boolean> {
    let known: number | undefined;
    let failures = 0;
    while (!until.aborted && failures < LONG_POLL_FAILURES) {
      const askedAt = Date.now();
      const answer = await this.#pollOnce(known, until);
      if (answer === GONE) return true;
      if (answer === GIVEN_UP) continue;
      if (answer === undefined && known !== undefined) failures += 1;
      const isWorthless = answer === undefined || (answer.version === known && isShort(askedAt));
      known = answer?.version ?? known;
      if (isWorthless) await pause(POLL_EVERY_MS);
    }
    return false;
  }

  /**
   * Polls once.
   * @param known the version that the page has: the server waits for another one; undefined for an answer at once
   */
  async #pollOnce(known: number | undefined, until: AbortSignal): Promise<TicketAnswer | typeof GIVEN_UP> {
    const after = known === undefined ? '' : `after=${known}&`;
    const within = known === undefined ? undefined : LONG_POLL_WITHIN_MS;
    const askedAt = Date.now();
    // A woken page must not wait for an answer on a connection that has died.
    const woken = new AbortController();
    const answered = new AbortController();
    const abort = (): void => woken.abort();
    until.addEventListener('abort', abort, { signal: answered.signal });
    whenWoken(() => Date.now() - askedAt > RECENT_MS && abort(), answered.signal);
    const answer = await requestTicket(`${this.#interactionUrl}/qr?${after}${NO_PICTURE}`, woken.signal, within);
    answered.abort();
    if (woken.signal.aborted) return GIVEN_UP;
    if (answer === undefined) this.#watcher.onSilence();
    this.#report(answer);
    return answer;
  }

  /** Reports an answer. @returns true if the interaction has ended */
  #report(answer: TicketAnswer): boolean {
    if (typeof answer === 'object') this.#watcher.onTicket(answer);
    return answer === GONE;
  }
}

/** Returns true if a long poll was answered without a wait. @param askedAt the time at which it began */
function isShort(askedAt: number): boolean {
  return Date.now() - askedAt < SHORTEST_LONG_POLL_MS;
}
