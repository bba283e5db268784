/** The fixture's provider and an RP, with browsers and phones that use them over HTTP. */
import type { Server } from 'node:http';
import { Keyv } from 'keyv';
import type { AdapterPayload } from 'oidc-provider';
import * as client from 'openid-client';
import { accountSignIn } from '../fixtures/account-page.ts';
import { PASSWORDS, People } from '../fixtures/people.ts';
import { type Fixture, type FixtureOptions, makeProvider } from '../fixtures/provider.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK, testClient } from '../fixtures/test-client.ts';
import { Agent, type Answer, type EventStream } from './agent.ts';
import { type AdjustableClock, TestClock } from './clock.ts';
import { type RunningServer, serve } from './server.ts';

export { CLIENT_ID, CLIENT_SECRET, PASSWORDS, RP_CALLBACK, testClient };

export interface WorldOptions extends Partial<Omit<FixtureOptions, 'issuer' | 'people'>> {
  /** The path of the issuer. */
  readonly path?: string;
  /**
   * The issuer. By default it is this world's own origin. With the issuer of another world, this world is a second node
   * of the same provider.
   */
  readonly issuer?: string;
  /**
   * The plugin's clock. By default it runs with the real clock. A test of exact times passes a clock that stands still.
   */
  readonly clock?: AdjustableClock;
  /** Adds to the provider what a deployment would add, before the provider serves requests. */
  readonly extend?: (fixture: Fixture) => void;
}

export class World {
  readonly issuer: string;
  readonly accounts: People;
  readonly clock: AdjustableClock;
  readonly store: Keyv;
  readonly #running: RunningServer & Fixture;
  readonly #configurations = new Map<string, Promise<client.Configuration>>();

  private constructor(
    issuer: string,
    accounts: People,
    clock: AdjustableClock,
    store: Keyv,
    running: RunningServer & Fixture,
  ) {
    this.issuer = issuer;
    this.accounts = accounts;
    this.clock = clock;
    this.store = store;
    this.#running = running;
  }

  static async start({
    path = '',
    clients = [],
    store = new Keyv(),
    clock = new TestClock(),
    qrLogin,
    extend = () => undefined,
    ...more
  }: WorldOptions = {}): Promise<World> {
    const people = new People();
    let issuer = '';
    const running = await serve(async (origin) => {
      issuer = more.issuer ?? origin + path;
      const fixture = await makeProvider({
        ...more,
        issuer,
        people,
        store,
        clients: [testClient(CLIENT_ID, { client_name: 'Test app' }), ...clients],
        qrLogin: { clock: clock.now, assess: () => 'allow', limits: false, ...qrLogin },
      });
      try {
        extend(fixture);
      } catch (error) {
        await fixture.qr.close();
        throw error;
      }
      return fixture;
    });
    return new World(issuer, people, clock, store, running);
  }

  /** Starts a world for one test, and stops it even if the test fails. */
  static async during(options: WorldOptions, act: (world: World) => Promise<void>): Promise<void> {
    const world = await World.start(options);
    try {
      await act(world);
    } finally {
      await world.stop();
    }
  }

  get provider(): Fixture['provider'] {
    return this.#running.provider;
  }

  get qr(): Fixture['qr'] {
    return this.#running.qr;
  }

  get origin(): string {
    return this.#running.origin;
  }

  get server(): Server {
    return this.#running.server;
  }

  async stop(): Promise<void> {
    try {
      await this.qr.close();
    } finally {
      await this.#running.stop();
    }
  }

  /** Returns the configuration that openid-client discovers for a client. */
  configuration(clientId: string = CLIENT_ID): Promise<client.Configuration> {
    const configuration =
      this.#configurations.get(clientId) ??
      client.discovery(new URL(`${this.issuer}/.well-known/openid-configuration`), clientId, CLIENT_SECRET, undefined, {
        execute: [client.allowInsecureRequests],
      });
    this.#configurations.set(clientId, configuration);
    return configuration;
  }

  /** Returns the stored session for this agent's cookie, or undefined if there is none. */
  async sessionOf(agent: Agent): Promise<AdapterPayload | undefined> {
    return (await this.provider.Session.adapter.find(await this.#sessionId(agent))) || undefined;
  }

  /** Changes the stored session of this agent, for example to make it older. @throws Error if it has none */
  async changeSessionOf(agent: Agent, changes: AdapterPayload): Promise<void> {
    const session = await this.sessionOf(agent);
    if (session === undefined) throw new Error('this agent has no session');
    await this.provider.Session.adapter.upsert(await this.#sessionId(agent), { ...session, ...changes });
  }

  async #sessionId(agent: Agent): Promise<string> {
    const cookies = await agent.jar.getCookies(this.issuer);
    return `${cookies.find(({ key }) => key === '_session')?.value}`;
  }

  /** Waits until the answer to a request for this path has ended. @returns the method of that request */
  untilAnswered(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#running.server.on('request', (request, response) => {
        if (request.url === path) response.on('finish', () => resolve(request.method));
      });
    });
  }

  /** Waits until the client of a request for this path has closed the connection. */
  untilLeft(path: string): Promise<void> {
    return new Promise((resolve) => {
      this.#running.server.on('request', (request, response) => {
        if (request.url === path) response.once('close', resolve);
      });
    });
  }

  /** Waits for an event of the provider. */
  nextEvent(name: string): Promise<unknown[]> {
    return new Promise((resolve) =>
      this.provider.once(name as never, ((...values: unknown[]) => resolve(values)) as never),
    );
  }

  /** Collects the payloads of an event from now on, without the request's context. */
  collectPayloads(name: string): unknown[] {
    const payloads: unknown[] = [];
    this.provider.on(name as never, ((_ctx: unknown, payload: unknown) => payloads.push(payload)) as never);
    return payloads;
  }

  /** Returns a browser at the QR page and a phone that is signed in. */
  async meet(
    name: keyof typeof PASSWORDS = 'alice',
    parameters: Record<string, string> = {},
  ): Promise<{ browser: BrowserPerson; phone: PhonePerson }> {
    const browser = new BrowserPerson(this);
    const phone = await new PhonePerson(this).signIn(name);
    await browser.start(parameters);
    return { browser, phone };
  }

  /** Counts how often the provider emits an event from now on. */
  count(name: string): () => number {
    let times = 0;
    this.provider.on(
      name as never,
      (() => {
        times += 1;
      }) as never,
    );
    return () => times;
  }
}

/** A browser in which a user signs in at an RP. */
export class BrowserPerson {
  readonly agent: Agent;
  readonly world: World;
  #verifier = '';
  #state = '';
  #nonce = '';
  /** The interaction's URL, once the provider has sent the browser there. */
  at = '';
  /** The client id of the RP that sends the browser to the provider. */
  clientId: string = CLIENT_ID;

  constructor(world: World, headers: Record<string, string> = {}, network?: typeof fetch) {
    this.world = world;
    this.agent = new Agent(
      {
        'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
        ...headers,
      },
      network,
    );
  }

  /** Sends the browser from the RP to the provider. @returns the last answer: a page, or a redirect to the RP */
  async start(parameters: Record<string, string> = {}): Promise<Answer> {
    const configuration = await this.world.configuration(this.clientId);
    this.#verifier = client.randomPKCECodeVerifier();
    this.#state = client.randomState();
    this.#nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: RP_CALLBACK,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(this.#verifier),
      code_challenge_method: 'S256',
      state: this.#state,
      nonce: this.#nonce,
      ...parameters,
    });
    const answer = await this.goOn(url);
    this.at = answer.url.href;
    return answer;
  }

  /** Follows redirects up to the RP. The answer's `location` is then the URL that the RP would get. */
  goOn(url: string | URL): Promise<Answer> {
    return this.agent.follow(new URL(url, this.world.origin), (next) => next.href.startsWith(RP_CALLBACK));
  }

  async ticket(): Promise<Record<string, unknown>> {
    return (await this.agent.get(`${this.at}/qr`)).json();
  }

  events(): Promise<EventStream> {
    return this.agent.stream(`${this.at}/qr/events`);
  }

  /** The last path segment of the interaction's URL. */
  get uid(): string {
    return new URL(this.at).pathname.split('/').at(-1) ?? '';
  }

  /** Waits for a ticket that is newer than this version. */
  async after(version: unknown): Promise<Record<string, unknown>> {
    return (await this.agent.get(`${this.at}/qr?after=${version}`)).json();
  }

  /** Returns the address in the QR code on the screen. @throws Error if there is none */
  async code(): Promise<string> {
    const { qr } = (await this.ticket()) as { qr?: { url: string } };
    if (qr === undefined) throw new Error('there is no code on the screen');
    return qr.url;
  }

  finish(checkCode?: string, more: Record<string, string> = {}): Promise<Answer> {
    const json = { ...(checkCode !== undefined && { checkCode }), ...more };
    return this.agent.post(`${this.at}/qr/finish`, { json });
  }

  /** Finishes, allows the consent page, and arrives at the RP. @returns the URL that the RP gets */
  async arrive(): Promise<URL> {
    const { redirectTo } = (await this.finish()).json();
    return this.arriveFrom(String(redirectTo));
  }

  async arriveFrom(redirectTo: string): Promise<URL> {
    let answer = await this.goOn(redirectTo);
    if (!answer.headers.has('location')) {
      const granted = await this.agent.post(`${answer.url}/consent`, { json: {} });
      answer = await this.goOn(String(granted.json().redirectTo));
    }
    return new URL(answer.location);
  }

  /** Checks the answer and redeems the authorization code in it with openid-client, as the RP does. */
  async tokens(
    arrived: URL,
    { maxAge, ...parameters }: { maxAge?: number; resource?: string } = {},
  ): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
    const checks = {
      pkceCodeVerifier: this.#verifier,
      expectedState: this.#state,
      expectedNonce: this.#nonce,
      ...(maxAge !== undefined && { maxAge }),
    };
    return client.authorizationCodeGrant(await this.world.configuration(this.clientId), arrived, checks, parameters);
  }
}

/** A phone, which signs in and decides on tickets. */
export class PhonePerson {
  readonly agent: Agent;
  readonly world: World;
  csrf = '';
  /** The scanned ticket's URL. */
  at = '';

  constructor(world: World, headers: Record<string, string> = {}, network?: typeof fetch) {
    this.world = world;
    this.agent = new Agent(
      {
        'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1',
        ...headers,
      },
      network,
    );
  }

  /**
   * Signs in with a password, for the account page. Does not load the pages that it would only pass through.
   * @throws Error if the provider does not ask for the password, or does not accept it
   */
  async signIn(name: keyof typeof PASSWORDS = 'alice'): Promise<this> {
    const asked = await this.agent.get(accountSignIn(this.world.issuer));
    const interaction = new URL(asked.location, asked.url);
    const form = { name, password: PASSWORDS[name] };
    const answer = await this.agent.post(`${interaction}/password`, { form });
    const resumed = await this.agent.get(new URL(answer.location || interaction, interaction));
    if (new URL(resumed.location || '/', interaction).pathname.endsWith('/account/signed-in')) return this;
    throw new Error(`${name} cannot sign in: ${answer.status} ${answer.text || resumed.text}`);
  }

  /** Opens an address that leads to the password page, and signs in there. @returns the last answer */
  async signInAt(address: string, name: keyof typeof PASSWORDS = 'alice'): Promise<Answer> {
    const page = await this.agent.follow(new URL(address, this.world.origin));
    const answer = await this.agent.post(page.url, { form: { name, password: PASSWORDS[name] } });
    return this.agent.follow(new URL(answer.location, page.url));
  }

  /** Signs out through the provider's own page. */
  async signOut(): Promise<void> {
    const asked = await this.agent.get(`${this.world.issuer}/session/end`);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    await this.agent.post(`${this.world.issuer}/session/end/confirm`, { form: { xsrf, logout: 'yes' } });
  }

  /**
   * Changes the session as if the user had signed in that many seconds ago.
   * @returns that time, in seconds since the epoch
   */
  async backdateSignIn(seconds: number): Promise<number> {
    const loginTs = Math.floor(Date.now() / 1000) - seconds;
    await this.world.changeSessionOf(this.agent, { loginTs });
    return loginTs;
  }

  /** Opens the address in the code. */
  land(code: string): Promise<Answer> {
    return this.agent.get(code, { headers: { accept: 'application/json' } });
  }

  async scan(code: string): Promise<Answer> {
    const landed = await this.land(code);
    if (landed.status !== 200) return landed;
    const answer = await this.agent.post(code, {
      headers: { accept: 'application/json' },
      json: { csrf: String(landed.json().csrf) },
    });
    if (answer.status === 200) {
      this.at = new URL(String(answer.json().redirectTo), code).href;
      this.csrf = String((await this.look()).json().csrf);
    }
    return answer;
  }

  look(): Promise<Answer> {
    return this.agent.get(this.at, { headers: { accept: 'application/json' } });
  }

  decide(decision: string, more: Record<string, string> = {}): Promise<Answer> {
    const json = { csrf: this.csrf, decision, ...more };
    return this.agent.post(this.at, { headers: { accept: 'application/json' }, json });
  }

  /** @param more `{ remember: 'yes' }` makes the account trust the browser */
  approve(more: Record<string, string> = {}): Promise<Answer> {
    return this.decide('approve', more);
  }

  deny(): Promise<Answer> {
    return this.decide('deny');
  }
}
