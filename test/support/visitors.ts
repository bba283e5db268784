/** Browsers and phones at a provider that runs anywhere: in a host of another framework, or behind a proxy. */
import * as client from 'openid-client';
import { passwordOf } from '../fixtures/people.ts';
import { Agent, type Answer, type EventStream } from './agent.ts';

/** A provider and the RP at which a sign-in begins. */
export interface Site {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string; readonly callback: string };
  /** Other RPs at this provider, by the names under which the tests register them. */
  readonly others?: Readonly<Record<string, Site['client']>>;
  /** Returns the provider's metadata, if it is known. Otherwise each visitor fetches it. */
  readonly metadata?: () => Promise<client.ServerMetadata>;
  /** Runs an act as if that many milliseconds had passed. Only a site in this process has this function. */
  readonly later?: (milliseconds: number, act: () => Promise<unknown>) => Promise<void>;
}

/**
 * The part that browser and phone have in common. Their POST requests have `Origin` and `Sec-Fetch-Site` headers, as in
 * real browsers.
 */
class Visitor {
  readonly agent: Agent;
  readonly site: Site;
  /** The `fetch` that leads to the provider. A test may replace it between two requests. */
  network: typeof fetch;

  constructor(site: Site, userAgent: string, network: typeof fetch, headers: Record<string, string>) {
    this.site = site;
    this.network = network;
    this.agent = new Agent({ 'user-agent': userAgent, ...headers }, (input, init) => this.network(input, init));
  }

  post(url: string | URL, json: object): Promise<Answer> {
    return this.agent.post(url, { json, headers: { accept: 'application/json', ...this.#sameOrigin } });
  }

  submit(url: string | URL, form: Record<string, string>): Promise<Answer> {
    return this.agent.post(url, { form, headers: { accept: 'text/html', ...this.#sameOrigin } });
  }

  get #sameOrigin(): Record<string, string> {
    return { origin: new URL(this.site.issuer).origin, 'sec-fetch-site': 'same-origin' };
  }
}

export class BrowserVisitor extends Visitor {
  #configuration: client.Configuration | undefined;
  #verifier = '';
  #state = '';
  /** The interaction's URL. */
  at = '';

  constructor(site: Site, network: typeof fetch = fetch, headers: Record<string, string> = {}) {
    super(site, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0 Safari/537.36', network, headers);
  }

  /** Returns the RP's configuration. The RP's requests use the browser's network. */
  async configuration(): Promise<client.Configuration> {
    const { issuer, client: rp, metadata } = this.site;
    const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    const network: typeof fetch = (input, init) => this.network(input, init);
    const customFetch = network as client.CustomFetch;
    if (metadata && this.#configuration === undefined) {
      this.#configuration = new client.Configuration(await metadata(), rp.id, rp.secret);
      this.#configuration[client.customFetch] = customFetch;
      for (const adapt of execute) adapt(this.#configuration);
    }
    this.#configuration ??= await client.discovery(
      new URL(`${issuer}/.well-known/openid-configuration`),
      rp.id,
      rp.secret,
      undefined,
      { [client.customFetch]: customFetch, execute },
    );
    return this.#configuration;
  }

  /** Sends the browser from the RP to the provider. @returns the QR page */
  async start(): Promise<Answer> {
    this.#verifier = client.randomPKCECodeVerifier();
    this.#state = client.randomState();
    const page = await this.#goOn(
      client.buildAuthorizationUrl(await this.configuration(), {
        redirect_uri: this.site.client.callback,
        scope: 'openid profile',
        code_challenge: await client.calculatePKCECodeChallenge(this.#verifier),
        code_challenge_method: 'S256',
        state: this.#state,
      }),
    );
    this.at = page.url.href;
    return page;
  }

  events(): Promise<EventStream> {
    return this.agent.stream(`${this.at}/qr/events`);
  }

  async ticket(): Promise<Record<string, unknown>> {
    return (await this.agent.get(`${this.at}/qr`)).json();
  }

  /** Returns the address in the code on the screen. */
  async code(): Promise<string> {
    const { qr } = (await this.ticket()) as { qr: { url: string } };
    return qr.url;
  }

  /** Waits for a ticket that is newer than this version. */
  async after(version: unknown): Promise<Record<string, unknown>> {
    return (await this.agent.get(`${this.at}/qr?after=${version}`)).json();
  }

  finish(checkCode?: string, more: Record<string, string> = {}): Promise<Answer> {
    return this.post(`${this.at}/qr/finish`, { ...(checkCode !== undefined && { checkCode }), ...more });
  }

  /** Signs in with a password. @returns the `Location` of the answer */
  async signInWithPassword(name: string): Promise<string> {
    const page = await this.agent.get(`${this.at}/password`, { headers: { accept: 'text/html' } });
    return (await this.submit(page.url, { name, password: passwordOf(name) })).location;
  }

  /** Grants consent if there is a consent page, and redeems the authorization code that arrives at the RP. */
  async tokens(location: unknown): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
    const consent = await this.#goOn(`${location}`);
    if (consent.location.startsWith(this.site.client.callback)) return this.exchange(consent.location);
    const granted = await this.post(`${consent.url}/consent`, {});
    const arrived = await this.#goOn(`${granted.json().redirectTo}`);
    return this.exchange(arrived.location);
  }

  /** Redeems the authorization code in the address at which the browser arrives at the RP. */
  async exchange(arrived: string): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
    return client.authorizationCodeGrant(await this.configuration(), new URL(arrived), {
      pkceCodeVerifier: this.#verifier,
      expectedState: this.#state,
    });
  }

  #goOn(url: string | URL): Promise<Answer> {
    const { callback } = this.site.client;
    return this.agent.follow(new URL(url, this.site.issuer), (next) => next.href.startsWith(callback));
  }
}

export class PhoneVisitor extends Visitor {
  #csrf = '';
  /** The scanned ticket's URL. */
  at = '';

  constructor(site: Site, network: typeof fetch = fetch, headers: Record<string, string> = {}) {
    super(site, 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1', network, headers);
  }

  /** Opens an address that requires a sign-in, and signs in. @returns the page that follows */
  async signInAt(address: string, name: string = 'alice'): Promise<Answer> {
    // The password page itself is not opened: it only shows the form.
    const isInteraction = ({ pathname }: URL): boolean => /\/interaction\/[\w-]+$/.test(pathname);
    const asked = await this.agent.follow(address, isInteraction);
    const interaction = new URL(asked.location || asked.url, asked.url);
    const answer = await this.submit(`${interaction}/password`, { name, password: passwordOf(name) });
    return this.agent.follow(new URL(answer.location, interaction));
  }

  /** Opens the address in the code, claims the ticket and opens its page. @returns the last answer */
  async scan(code: string): Promise<Answer> {
    const landed = await this.look(code);
    if (landed.status !== 200) return landed;
    const answer = await this.post(code, { csrf: `${landed.json().csrf}` });
    if (answer.status !== 200) return answer;
    this.at = new URL(`${answer.json().redirectTo}`, code).href;
    return this.look();
  }

  /** Opens the ticket's page, or another address. */
  async look(url: string = this.at): Promise<Answer> {
    const answer = await this.agent.get(url, { headers: { accept: 'application/json' } });
    if (answer.status === 200 && url === this.at) this.#csrf = `${answer.json().csrf}`;
    return answer;
  }

  decide(decision: 'approve' | 'deny', more: Record<string, string> = {}): Promise<Answer> {
    return this.post(this.at, { csrf: this.#csrf, decision, ...more });
  }

  /** @param more `{ remember: 'yes' }` makes the account trust the browser */
  async approve(more: Record<string, string> = {}): Promise<Record<string, unknown>> {
    return (await this.decide('approve', more)).json();
  }
}
