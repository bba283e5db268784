/** Runs one whole sign-in of the crowd test: with a browser that runs the page's script, a phone, and an RP. */
import { setTimeout as pause } from 'node:timers/promises';
import { ResponseBodyError } from 'openid-client';
import { Agent, type Answer } from '../support/agent.ts';
import { PageVisitor } from '../support/page-visitor.ts';
import type { PhoneVisitor, Site } from '../support/visitors.ts';

/** The address of all browsers. A phone at the same address needs no check code. */
export const BROWSER_ADDRESS = '203.0.113.7';

/** Users take up to this time for each step, so that a fault meets sign-ins in every state. */
const USER_TAKES_MS = 1_500;
/** A sign-in that takes longer than this is stuck. */
const ENDS_WITHIN_MS = 90_000;

/** The end of a sign-in that did not succeed. */
class EndedSignIn extends Error {
  /** The cause that the page or the JSON names; undefined if it names none. */
  readonly named: string | undefined;

  constructor(where: string, answer: Answer) {
    const named = causeIn(answer);
    super(`${where}: ${answer.status} ${named ?? answer.text.slice(0, 300)}`);
    this.named = named;
  }
}

export interface SignInOutcome {
  /** True if the phone has been told that it has approved. */
  readonly isApproved: boolean;
  /** The account in the ID token; undefined if there is none. */
  readonly got: string | undefined;
  /** True if the RP had to send the browser to the provider again, which signed it in without another QR code. */
  readonly askedAgain: boolean;
  /** Replays that succeeded. */
  readonly replayed: readonly string[];
  /** A description of the end, if the user was not signed in. */
  readonly problem?: { readonly what: string; readonly isExplained: boolean };
}

export interface CrowdUser {
  readonly phone: PhoneVisitor;
  readonly accountId: string;
}

export class CrowdSignIn {
  readonly #browser: PageVisitor;
  readonly #network: typeof fetch;
  readonly #site: Site;
  readonly #user: CrowdUser;
  readonly #replays: boolean;
  readonly #replayed: string[] = [];
  /** The signal that is aborted when the sign-in has ended, which stops all of its parts. */
  readonly #ended = new AbortController();
  #isApproved = false;
  /** The current step, for the description of the end. */
  #step = 'the page';
  #askedAgain = false;

  /** @param replays true if the authorization code and the resume URL are used a second time afterwards */
  constructor(site: Site, network: typeof fetch, user: CrowdUser, replays: boolean) {
    this.#site = site;
    this.#network = async (input, init) => {
      this.#ended.signal.throwIfAborted();
      return network(input, init);
    };
    this.#user = user;
    this.#replays = replays;
    this.#browser = new PageVisitor(site, this.#network, { 'x-forwarded-for': BROWSER_ADDRESS });
  }

  async run(): Promise<SignInOutcome> {
    const { signal } = this.#ended;
    try {
      const tooLate = pause(ENDS_WITHIN_MS, undefined, { signal }).then(() => {
        throw new Error(`${this.#step}: it has not ended after ${ENDS_WITHIN_MS} ms`);
      });
      const got = await Promise.race([this.#signIn(), tooLate]);
      return this.#outcome(got);
    } catch (error) {
      return this.#outcome(undefined, error);
    } finally {
      this.#ended.abort();
    }
  }

  #outcome(got: string | undefined, error?: unknown): SignInOutcome {
    const outcome = { isApproved: this.#isApproved, got, askedAgain: this.#askedAgain, replayed: this.#replayed };
    if (error === undefined) return outcome;
    const isExplained = error instanceof EndedSignIn && error.named !== undefined;
    return { ...outcome, problem: { what: `${this.#user.accountId}, ${messageOf(error)}`, isExplained } };
  }

  async #signIn(): Promise<string | undefined> {
    const page = await this.#browser.start();
    if (!page.text.includes('data-qr-login')) throw new EndedSignIn(this.#step, page);
    const approved = this.#browser.untilState('approved', this.#ended.signal);
    // Mark the promise as handled: it is awaited below, unless the sign-in fails before that.
    approved.catch(() => undefined);
    await userThinks();
    this.#step = 'the scan';
    await this.#scan();
    await userThinks();
    this.#step = 'Approve';
    const decided = await this.#user.phone.decide('approve');
    if (decided.status !== 200) throw new EndedSignIn(this.#step, decided);
    this.#isApproved = true;
    const { checkCode } = decided.json();
    this.#step = 'the page after Approve';
    await approved;
    this.#step = 'finish';
    if (checkCode !== undefined) await userThinks();
    const finished = await this.#browser.finish(typeof checkCode === 'string' ? checkCode : undefined);
    if (finished.status !== 200) throw new EndedSignIn(this.#step, finished);
    const resume = `${finished.json().redirectTo}`;
    this.#step = 'the way back';
    const arrived = await this.#arrive(await this.#follow(resume));
    this.#step = 'tokens';
    const tokens = await this.#redeem(arrived);
    this.#step = 'replays';
    if (this.#replays) await this.#replay(resume, arrived);
    return tokens;
  }

  /** Scans the code, and the next one if it has rotated meanwhile. */
  async #scan(): Promise<void> {
    for (let turn = 0; ; turn++) {
      const scanned = await this.#user.phone.scan(await this.#browser.code());
      if (scanned.status === 200) return;
      if (scanned.status !== 404 || turn === 3) throw new EndedSignIn(this.#step, scanned);
    }
  }

  /** Allows the consent page, if there is one. @returns the URL at which the browser arrives at the RP */
  async #arrive(answer: Answer): Promise<string> {
    if (this.#isAtApp(answer)) return answer.location;
    if (answer.status !== 200 || answer.text.includes('data-qr-login')) throw new EndedSignIn(this.#step, answer);
    const granted = await this.#browser.post(`${answer.url}/consent`, {});
    if (granted.status !== 200) throw new EndedSignIn(`${this.#step}, consent`, granted);
    const next = await this.#follow(`${granted.json().redirectTo}`);
    if (!this.#isAtApp(next)) throw new EndedSignIn(`${this.#step} after the consent`, next);
    return next.location;
  }

  /**
   * Redeems the authorization code. If the provider answers that it was used, the RP sends the browser to the provider
   * again, as after any such error.
   */
  async #redeem(arrived: string): Promise<string | undefined> {
    try {
      return (await this.#browser.exchange(arrived)).claims()?.sub;
    } catch (error) {
      if (!(error instanceof ResponseBodyError && error.error === 'invalid_grant')) throw error;
    }
    this.#askedAgain = true;
    return (await this.#browser.exchange(await this.#arrive(await this.#browser.start()))).claims()?.sub;
  }

  /** Redeems the code again, and opens, in another browser, the URL that has signed the first browser in. */
  async #replay(resume: string, arrived: string): Promise<void> {
    if (!this.#askedAgain) {
      const again = await this.#browser.exchange(arrived).catch((error: unknown) => error);
      if (!(again instanceof ResponseBodyError))
        this.#replayed.push(`the authorization code of ${this.#user.accountId}: ${again}`);
    }
    const stranger = new Agent({ 'x-forwarded-for': BROWSER_ADDRESS }, this.#network);
    const url = new URL(resume, this.#site.issuer);
    const answer = await stranger.follow(url, (next) => next.href.startsWith(this.#site.client.callback));
    if (answer.status < 400) this.#replayed.push(`${url.pathname}: ${answer.status} ${answer.location}`);
  }

  #follow(url: string): Promise<Answer> {
    const { issuer, client } = this.#site;
    return this.#browser.agent.follow(new URL(url, issuer), (next) => next.href.startsWith(client.callback));
  }

  #isAtApp({ location }: Answer): boolean {
    return location.startsWith(this.#site.client.callback) && new URL(location).searchParams.has('code');
  }
}

function userThinks(): Promise<void> {
  return pause(Math.random() * USER_TAKES_MS);
}

/** Returns the cause that an answer names: the code of an error, or the text on the provider's page. */
function causeIn({ text, location }: Answer): string | undefined {
  const [, error] = /data-error="(\w+)"|"error":"(\w+)"|[?&]error=(\w+)/.exec(text + location)?.filter(Boolean) ?? [];
  return error ?? /<h1>This did not work<\/h1>\s*<p>([^<]+)</.exec(text)?.[1];
}

function messageOf(error: unknown): string {
  if (error instanceof ResponseBodyError) return `tokens: ${error.status} ${error.error}: ${error.error_description}`;
  return error instanceof Error ? `${error.message} ${error.cause ?? ''}` : `${error}`;
}
