/** People at a provider that is wherever its issuer says: in a host of another framework, behind a proxy. */
import * as client from 'openid-client';
import { Agent, type Answer, type EventStream } from './agent.ts';

export const PASSWORDS = { alice: 'wonderland', bob: 'builder' } as const;

/** A provider, as those see it who visit. */
export interface Site {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string; readonly callback: string };
}

/** What both sides do. Like a browser, they say with a POST which site it comes from. */
class Visitor {
  readonly agent: Agent;
  readonly site: Site;
  readonly network: typeof fetch;

  constructor(site: Site, userAgent: string, network: typeof fetch, headers: Record<string, string>) {
    this.site = site;
    this.network = network;
    this.agent = new Agent({ 'user-agent': userAgent, ...headers }, network);
  }

  post(url: string | URL, json: Record<string, string>): Promise<Answer> {
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

  async configuration(): Promise<client.Configuration> {
    const { issuer } = this.site;
    this.#configuration ??= await client.discovery(
      new URL(`${issuer}/.well-known/openid-configuration`),
      this.site.client.id,
      this.site.client.secret,
      undefined,
      {
        [client.customFetch]: this.network as client.CustomFetch,
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
      },
    );
    return this.#configuration;
  }

  /** Comes from the RP. @returns the QR page */
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

  /** The address in the code on the screen. */
  async code(): Promise<string> {
    const { qr } = (await this.ticket()) as { qr: { url: string } };
    return qr.url;
  }

  finish(checkCode?: string): Promise<Answer> {
    return this.post(`${this.at}/qr/finish`, checkCode === undefined ? {} : { checkCode });
  }

  /** Signs in without a phone. @returns where the password page leads */
  async signInWithPassword(name: keyof typeof PASSWORDS): Promise<string> {
    const page = await this.agent.get(`${this.at}/password`, { headers: { accept: 'text/html' } });
    return (await this.submit(page.url, { name, password: PASSWORDS[name] })).location;
  }

  /** Allows what the consent page asks for, and arrives at the RP, which redeems its code. */
  async tokens(location: unknown): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
    const consent = await this.#goOn(`${location}`);
    const granted = await this.post(`${consent.url}/consent`, {});
    const arrived = await this.#goOn(`${granted.json().redirectTo}`);
    return client.authorizationCodeGrant(await this.configuration(), new URL(arrived.location), {
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

  /** Opens an address for which it must sign in, and does. @returns the page where that ends */
  async signInAt(address: string, name: keyof typeof PASSWORDS = 'alice'): Promise<Answer> {
    const page = await this.agent.follow(address);
    const answer = await this.submit(page.url, { name, password: PASSWORDS[name] });
    return this.agent.follow(new URL(answer.location, page.url));
  }

  async scan(code: string): Promise<void> {
    const { csrf } = await this.#look(code);
    const { redirectTo } = (await this.post(code, { csrf: `${csrf}` })).json();
    this.at = new URL(`${redirectTo}`, code).href;
    this.#csrf = `${(await this.#look(this.at)).csrf}`;
  }

  async approve(): Promise<Record<string, unknown>> {
    return (await this.post(this.at, { csrf: this.#csrf, decision: 'approve' })).json();
  }

  async #look(url: string): Promise<Record<string, unknown>> {
    return (await this.agent.get(url, { headers: { accept: 'application/json' } })).json();
  }
}
