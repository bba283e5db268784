/** An attacker's website, which shows its visitors the code of a sign-in that they never started. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Agent, type Answer } from '../../support/agent.ts';
import { FRAME, LURE, PASSKEY_LURE } from './attacker-pages.ts';

/** The URLs that an attacker must know. */
export interface Target {
  readonly issuer: string;
  readonly rpUrl: string;
}

interface Reply {
  readonly type: string;
  readonly body: string;
}

const html = (body: string): Reply => ({ type: 'text/html; charset=utf-8', body });

/** Holds the attacker's own sign-in, with a browser's cookies, and serves pages on its own origin. */
export class AttackerSite {
  /** The provider's answer to the digits, or to the passkey's answer, that the page of the last victim passed on. */
  relayed: Answer | undefined;
  /** The error with which a victim's browser refused to use its passkey for the attacker. */
  refusal: string | undefined;
  readonly #target: Target;
  readonly #agent: Agent;
  readonly #server: Server;
  /** The interaction's URL. */
  #at = '';
  #page = '';

  private constructor(target: Target, address: string, server: Server) {
    this.#target = target;
    this.#server = server;
    this.#agent = new Agent({
      'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
      // The provider trusts this header only if a test has configured a proxy.
      'x-forwarded-for': address,
    });
  }

  /** Serves the pages and starts a sign-in at the target's RP. */
  static async open(target: Target, address: string): Promise<AttackerSite> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const site = new AttackerSite(target, address, server);
    server.on('request', async (request, response) => {
      const reply = await site.#reply(request).catch((error: unknown) => error);
      if (reply instanceof Error || reply === undefined) response.writeHead(reply === undefined ? 204 : 500).end();
      else response.writeHead(200, { 'content-type': (reply as Reply).type }).end((reply as Reply).body);
    });
    await site.begin();
    return site;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /**
   * Returns the URL of a page. Another port makes another origin on the same site, and another host name makes another
   * site.
   */
  url(path: string, host = 'localhost'): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** The URL of the attacker's QR page at the provider. */
  get at(): string {
    return this.#at;
  }

  /** Chooses "Sign in" at the RP, which needs no account. */
  async begin(): Promise<void> {
    const page = await this.#agent.follow(`${this.#target.rpUrl}/login`);
    if (!page.text.includes('data-code')) throw new Error(`the attacker sees no code at ${page.url}`);
    this.#at = page.url.href;
    this.#page = page.text;
  }

  /** Returns the ticket as the attacker's browser sees it. */
  async ticket(): Promise<Record<string, unknown>> {
    return (await this.#agent.get(`${this.#at}/qr`)).json();
  }

  /** Returns the address in the code that the attacker's page shows. */
  async code(): Promise<string> {
    const { qr } = (await this.ticket()) as { qr?: { url: string } };
    if (qr === undefined) throw new Error('the attacker has no code to show');
    return qr.url;
  }

  /** Waits until the ticket is in this state because of the victim's acts. */
  async waitForState(state: string): Promise<Record<string, unknown>> {
    let ticket = await this.ticket();
    while (ticket.state !== state) ticket = (await this.#agent.get(`${this.#at}/qr?after=${ticket.version}`)).json();
    return ticket;
  }

  finish(checkCode?: string): Promise<Answer> {
    return this.#post('qr/finish', checkCode === undefined ? {} : { checkCode });
  }

  renew(): Promise<Answer> {
    return this.#post('qr/renew', {});
  }

  /** Follows the provider's answer, and consents if asked. @returns the RP's page */
  async arrive(answer: Answer): Promise<string> {
    const page = await this.#goOn(answer);
    if (page.url.origin === new URL(this.#target.rpUrl).origin) return page.text;
    this.#at = page.url.href;
    return (await this.#goOn(await this.#post('consent', {}))).text;
  }

  /** Returns true if the provider signs the attacker in at the RP without another approval. */
  async isSignedIn(): Promise<boolean> {
    const page = await this.#agent.follow(`${this.#target.rpUrl}/login`);
    return !page.text.includes('data-code');
  }

  #goOn(answer: Answer): Promise<Answer> {
    return this.#agent.follow(new URL(`${answer.json().redirectTo}`, this.#target.issuer));
  }

  /** Posts with the headers that a browser at the provider would send: a program can send any headers. */
  #post(path: string, json: Record<string, string>): Promise<Answer> {
    const headers = { accept: 'application/json', origin: this.#target.issuer, 'sec-fetch-site': 'same-origin' };
    return this.#agent.post(`${this.#at}/${path}`, { json, headers });
  }

  async #reply(request: IncomingMessage): Promise<Reply | undefined> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://attacker');
    if (pathname === '/') return html(LURE);
    if (pathname === '/passkey') return html(PASSKEY_LURE);
    if (pathname === '/frame') return html(FRAME(searchParams.get('src') ?? ''));
    if (pathname === '/code') return this.#code();
    if (pathname === '/passkey/options') return { type: 'application/json', body: this.#passkeyOptions() };
    if (request.method !== 'POST') return undefined;
    const sent = new URLSearchParams(await text(request));
    if (pathname === '/digits') this.relayed = await this.finish(sent.get('digits') ?? '');
    if (pathname === '/passkey/refusal') this.refusal = sent.get('name') ?? '';
    if (pathname === '/passkey/proof') {
      this.relayed = await this.#post('qr/passkey', { proof: sent.get('proof') ?? '' });
    }
    return html('<h1>Thank you</h1>');
  }

  /** Returns the code that the provider shows at this moment; undefined after a scan. */
  async #code(): Promise<Reply | undefined> {
    const { qr } = (await this.ticket()) as { qr?: { svg: string } };
    return qr && { type: 'image/svg+xml', body: qr.svg };
  }

  /** Returns the options with which the provider's page asks for a passkey, including the challenge. */
  #passkeyOptions(): string {
    const [, options] = / data-passkey="([^"]+)"/.exec(this.#page) ?? [];
    if (options === undefined) throw new Error('the provider offers no passkey');
    return plain(options);
  }
}

/** Returns the claims that the RP's page shows; undefined if no user is signed in. */
export function claimsIn(page: string): Record<string, unknown> | undefined {
  const [, claims] = /<pre id="claims">([^<]+)</.exec(page) ?? [];
  return claims === undefined ? undefined : JSON.parse(plain(claims));
}

function plain(escaped: string): string {
  return escaped.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}
