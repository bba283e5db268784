/**
 * Runs two nodes on one Redis, with a proxy between the first node and Redis, and brings browsers to the URL that
 * resumes their sign-in.
 */
import type { Keyv } from 'keyv';
import * as client from 'openid-client';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import type { Answer } from '../support/agent.ts';
import { networkTo } from '../support/balancer.ts';
import { CommandProxy } from '../support/command-proxy.ts';
import { isFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import type { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { BrowserPerson, CLIENT_ID, CLIENT_SECRET, PhonePerson, RP_CALLBACK, World } from '../support/world.ts';

/**
 * The time-out of the suites, in milliseconds. It is long, because the Redis client pauses after each failure before it
 * connects again.
 */
export const TIMEOUT_MS: number = sizeOfSuite({ short: 120_000, full: 400_000 });

/** Returns the numbers up to this one: all of them in the full suite, the last ones in the short suite. */
export function lastOf(count: number): number[] {
  return isFullSuite ? Array.from({ length: count }, (_, index) => index + 1) : lastSevenOf(count);
}

export function lastSevenOf(count: number): number[] {
  const first = Math.max(0, count - 7);
  return Array.from({ length: count - first }, (_, index) => first + index + 1);
}

const CREDENTIALS = [CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(':');
const BASIC = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;
const VERIFIER = client.randomPKCECodeVerifier();
const CHALLENGE = await client.calculatePKCECodeChallenge(VERIFIER);

const REQUEST = {
  client_id: CLIENT_ID,
  response_type: 'code',
  redirect_uri: RP_CALLBACK,
  scope: 'openid profile',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
};

export class ResumeSite {
  readonly proxy: CommandProxy;
  readonly world: World;
  readonly other: World;
  readonly #stores: readonly Keyv[];

  private constructor(proxy: CommandProxy, [world, other]: readonly [World, World], stores: readonly Keyv[]) {
    this.proxy = proxy;
    this.world = world;
    this.other = other;
    this.#stores = stores;
  }

  static async start(redis: RedisServer): Promise<ResumeSite> {
    const proxy = await CommandProxy.start(redis.port);
    const [near, far] = [redisKeyv(proxy.url, 'resume'), redisKeyv(redis.url, 'resume')];
    const world = await World.start({ store: near });
    const other = await World.start({ store: far, issuer: world.issuer, proxy: true });
    return new ResumeSite(proxy, [world, other], [near, far]);
  }

  async stop(): Promise<void> {
    this.proxy.heal();
    await Promise.all([this.world.stop(), this.other.stop()]);
    await Promise.all(this.#stores.map(cutOff));
    await this.proxy.stop();
  }

  get issuer(): string {
    return this.world.issuer;
  }

  /** Returns a browser that sends its requests to the first node, or to the other one after {@link Visit.move}. */
  async visit(): Promise<Visit> {
    this.proxy.heal();
    await until(async () => (await this.world.qr.health()).ok);
    return new Visit(this);
  }

  /** Waits until the nodes that can reach Redis have noticed that it answers. */
  async untilUp(): Promise<void> {
    if (!this.proxy.isLost) await until(async () => (await this.world.qr.health()).ok);
  }

  networkTo(node: 'first' | 'other'): typeof fetch {
    return node === 'first' ? fetch : networkTo(this.other, this.issuer);
  }
}

/** A browser, and the phone of its user. */
export class Visit {
  readonly browser: BrowserPerson;
  readonly site: ResumeSite;
  #node: 'first' | 'other' = 'first';

  constructor(site: ResumeSite) {
    this.site = site;
    this.browser = new BrowserPerson(site.world, {}, (input, init) => site.networkTo(this.#node)(input, init));
  }

  /** Sends all further requests of the browser to the other node. */
  move(): void {
    this.#node = 'other';
  }

  async start(parameters: Record<string, string> = {}): Promise<void> {
    const query = new URLSearchParams({ ...REQUEST, ...parameters });
    await this.#open(query);
  }

  async startPushed(): Promise<void> {
    const pushed = await this.#ask('/request', REQUEST);
    const query = new URLSearchParams({ client_id: CLIENT_ID, request_uri: String(pushed.json().request_uri) });
    await this.#open(query);
  }

  /** Approves and finishes. @returns the URL that resumes the sign-in */
  async finish(): Promise<URL> {
    const phone = new PhonePerson(this.site.world);
    const code = await this.browser.code();
    // The phone signs in for this ticket, which meets `prompt=login`.
    await phone.signInAt(code);
    await phone.scan(code);
    await phone.approve();
    return this.#url(await this.browser.finish());
  }

  /** Resumes the sign-in, and gives consent. @returns the URL that resumes the sign-in after the consent */
  async consent(resume: URL): Promise<URL> {
    const page = await this.browser.goOn(resume);
    return this.#url(await this.browser.agent.post(`${page.url}/consent`, { json: {} }));
  }

  /** Continues from the answer to a resumed sign-in. @returns the authorization code that the RP gets */
  async code(location: string): Promise<string> {
    const arrived = location.startsWith(RP_CALLBACK)
      ? new URL(location)
      : await this.browser.arriveFrom(new URL(location, this.site.issuer).href);
    const code = arrived.searchParams.get('code');
    if (code === null) throw new Error(`the provider gave no authorization code: ${arrived}`);
    return code;
  }

  redeem(code: string, verifier: string = VERIFIER): Promise<Answer> {
    const more = { redirect_uri: RP_CALLBACK, code_verifier: verifier };
    return this.#ask('/token', { grant_type: 'authorization_code', code, ...more });
  }

  async #open(query: URLSearchParams): Promise<void> {
    const page = await this.browser.goOn(`${this.site.issuer}/auth?${query}`);
    if (page.status !== 200) throw new Error(`no QR page: ${page.status} ${page.location} ${page.text}`);
    this.browser.at = page.url.href;
  }

  #ask(path: string, form: Record<string, string>): Promise<Answer> {
    const headers = { accept: 'application/json', authorization: BASIC };
    return this.browser.agent.post(this.site.issuer + path, { form, headers });
  }

  #url({ status, text, json }: Answer): URL {
    if (status !== 200) throw new Error(`the sign-in does not continue: ${status} ${text}`);
    return new URL(String(json().redirectTo), this.site.issuer);
  }
}

/** The kinds of URLs that resume a sign-in. The kind with the most Redis commands is first. */
export const RESUMES: Readonly<Record<string, (visit: Visit) => Promise<URL>>> = {
  'of a request that was pushed': async (visit) => {
    await visit.startPushed();
    return visit.consent(await visit.finish());
  },
  'of a new browser': async (visit) => {
    await visit.start();
    return visit.finish();
  },
  'after a consent': async (visit) => {
    await visit.start();
    return visit.consent(await visit.finish());
  },
  'of a user who signs in again': async (visit) => {
    await visit.start();
    await visit.code((await visit.browser.goOn(await visit.consent(await visit.finish()))).location);
    await visit.start({ prompt: 'login' });
    return visit.finish();
  },
};

/** Repeats a request as long as the answer is 503. @returns the last answer */
export async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask();
  await until(async () => {
    if (answer.status === 503) answer = await ask();
    return answer.status !== 503;
  });
  return answer;
}
