import { type ApiClient, type RequestOptions, withLinkedAbort } from './api-client.ts';
import { PhoneError } from './phone-error.ts';
import type { TicketView } from './ticket-view.ts';

export interface WatchOptions extends RequestOptions {
  /**
   * Called when the provider cannot be reached. The watch goes on, and the next state shows that the trouble is over.
   */
  readonly onTrouble?: ((error: PhoneError) => void) | undefined;
}

export interface ApproveOptions extends RequestOptions {
  /** True keeps the user signed in in that browser. False by default. */
  readonly remember?: boolean | undefined;
  /** One of the ticket's `durations`: how long the user stays signed in there. It takes precedence over `remember`. */
  readonly duration?: string | undefined;
  /** The proof that the ticket requires (`asked.proofRequired`), as JSON: for example a passkey's assertion. */
  readonly proof?: string | object | undefined;
  /** The number that the user has tapped, if the ticket has `numbers` (`asked.numbers`). */
  readonly match?: string | undefined;
}

/** The provider answers a long poll after at most 25 s. */
const LONG_POLL_MS = 25_000;
/** The pause before the next long poll of a watch, by the number of polls in a row that have failed. */
const PAUSES_MS = [1_000, 1_000, 2_000, 4_000, 8_000];
const LONGEST_PAUSE_MS = 15_000;

/**
 * A sign-in that this app has scanned. Each method may be called again after an error: the same act has the same
 * answer. All of them throw {@link PhoneError}; see its `action`.
 */
export class Ticket {
  readonly #api: ApiClient;
  readonly #path: string;
  /** The long polls of watches. Each answer to another request ends them, so that watches report it at once. */
  readonly #polls = new Set<AbortController>();
  #asked: TicketView;

  readonly #returnTo: string | undefined;

  /** @internal */
  constructor(api: ApiClient, asked: TicketView, returnTo?: string) {
    this.#api = api;
    this.#returnTo = returnTo;
    this.#path = pathOf(asked.id);
    this.#asked = asked;
  }

  /** The id of the ticket. Keep it to continue after a restart of the app: `phone.ticket(id)`. */
  get id(): string {
    return this.#asked.id;
  }

  /** The request and its state, as the provider's last answer has it. */
  get asked(): TicketView {
    return this.#asked;
  }

  /**
   * The URL of the page to open once the user has decided, if a browser on this phone has opened the app: the sign-in
   * goes on there. If there is a check code, the URL has it, so that the user need not type it.
   */
  get returnTo(): string | undefined {
    const { checkCode } = this.#asked;
    return this.#returnTo && checkCode ? `${this.#returnTo}#${checkCode}` : this.#returnTo;
  }

  /** True once nothing can change any more: denied, finished, cancelled or expired. */
  get isOver(): boolean {
    return isFinal(this.#asked);
  }

  /**
   * Asks for the current state. Call it when the app comes back from the background: a watch whose connection has died
   * meanwhile goes on, too.
   */
  refresh(options?: RequestOptions): Promise<TicketView> {
    return this.#take(this.#api.send('GET', this.#path, options));
  }

  /**
   * Yields the current state, and each later one until the ticket is over. It tries again after failures of the
   * network. The signal ends it without an error.
   * @throws PhoneError whose `action` is not `retry`
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<TicketView, void, undefined> {
    let yielded: number | undefined;
    let failures = 0;
    while (!options.signal?.aborted) {
      if (this.#asked.version !== yielded) {
        yielded = this.#asked.version;
        yield this.#asked;
      } else if (this.isOver) return;
      else failures = await this.#poll(yielded, failures, options);
    }
  }

  /**
   * Approves. The answer has a `checkCode` if the user must type digits into the browser.
   * @throws PhoneError `step_up` if the user must sign in to the app again first, `prove` if a proof is required
   */
  approve(options?: ApproveOptions): Promise<TicketView> {
    return this.#decide('approve', options);
  }

  /** Denies: the user does not want to sign in. */
  deny(options?: RequestOptions): Promise<TicketView> {
    return this.#decide('deny', options);
  }

  /**
   * Reports that the user did not start this. Works after Approve, too: if the browser is signed in by this ticket, it
   * is signed out.
   */
  report(options?: RequestOptions): Promise<TicketView> {
    return this.#decide('report', options);
  }

  /** Ends a sign-in whose requirement the user cannot meet. The app in the browser gets the standard error. */
  unable(options?: RequestOptions): Promise<TicketView> {
    return this.#decide('unable', options);
  }

  async #decide(
    decision: string,
    { signal, remember = false, duration, ...answers }: ApproveOptions = {},
  ): Promise<TicketView> {
    const { id: ticket, client, browser, action, backchannel } = this.#asked;
    const decided = { decision, remember, duration };
    const shown = { ticket, client: client.id, browser, action, backchannel };
    const signature = await this.#api.signDecision({ ...shown, ...decided });
    const body = { ...decided, ...answers, signature };
    return this.#take(this.#api.send('POST', `${this.#path}/decision`, { body, signal }));
  }

  /**
   * Waits for a later state, or until another request has been answered.
   * @param failures the number of polls before this one that have failed in a row
   * @returns the number of polls in a row that have failed by now
   */
  #poll(after: number, failures: number, { signal, onTrouble }: WatchOptions): Promise<number> {
    return withLinkedAbort(signal, async (woken) => {
      this.#polls.add(woken);
      try {
        const trouble = await this.#ask(after, woken.signal);
        if (trouble) onTrouble?.(trouble);
        const inARow = trouble ? failures + 1 : 0;
        // Pause even without trouble: a proxy may answer at once where the provider would have waited.
        const pauseMs = Math.max((trouble?.retryAfter ?? 0) * 1000, PAUSES_MS[inARow] ?? LONGEST_PAUSE_MS);
        if (this.#asked.version === after) await pause(pauseMs, woken.signal);
        return inARow;
      } finally {
        this.#polls.delete(woken);
      }
    });
  }

  /** Sends a long poll. @returns the error with which it has failed, unless it was aborted */
  async #ask(after: number, signal: AbortSignal): Promise<PhoneError | undefined> {
    try {
      const options = { query: `?after=${after}`, held: LONG_POLL_MS, signal };
      this.#set(await this.#api.send('GET', this.#path, options));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof PhoneError && error.action === 'retry') return error;
      throw error;
    }
    return undefined;
  }

  #set(view: TicketView): void {
    // Answers may overtake each other. A ticket that is gone has expired, and its version is 0.
    if (view.version >= this.#asked.version || isFinal(view)) this.#asked = view;
  }

  async #take(answer: Promise<TicketView | undefined>): Promise<TicketView> {
    const { expiresIn, checkCode, ...gone } = this.#asked;
    // There is no body if the ticket that is reported is gone.
    const view = (await answer) ?? { ...gone, state: 'denied', reason: 'report' };
    this.#set(view);
    for (const poll of this.#polls) poll.abort();
    return view;
  }
}

function isFinal({ state }: TicketView): boolean {
  return state !== 'scanned' && state !== 'approved';
}

/** Waits for a time in milliseconds, or until the signal is aborted. */
function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, signal.aborted ? 0 : time);
    signal.addEventListener('abort', end);
  });
}

/** Returns the path of a ticket, or of an entry of another list. */
export function pathOf(id: string, list: string = '/tickets'): string {
  return `${list}/${encodeURIComponent(id)}`;
}
