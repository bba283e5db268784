/**
 * Signs in by QR code without a browser, by an ordinary authorization request of a native app with PKCE (RFC 8252). The
 * program takes the part of the browser that shows the code.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { discover, interactionOf, TerminalBrowser } from './terminal-browser.ts';

const CLIENT_ID = 'terminal';
const CALLBACK = 'com.example.terminal:/callback';

/** Returns the metadata with which the provider knows the program as a public client. */
export function terminalClient(): ClientMetadata {
  return {
    client_id: CLIENT_ID,
    client_name: 'Terminal',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [CALLBACK],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    scope: 'openid profile',
  };
}

/** The ticket as the browser sees it: see `BrowserView` in docs/theming.md. */
export interface TerminalTicket {
  readonly version: number;
  readonly state: 'waiting' | 'scanned' | 'approved' | 'redeemed' | 'denied' | 'expired' | 'cancelled';
  readonly qr?: { readonly url: string; readonly shortCode?: string };
  readonly checkCode?: boolean;
  /** The number that the user taps on the phone. */
  readonly number?: string;
}

type FinishAnswer = { readonly redirectTo: string } | { readonly error: string; readonly error_description: string };

/** The states in which nothing more happens by itself. */
const ENDS: ReadonlySet<string> = new Set(['denied', 'expired', 'cancelled']);

export class TerminalSignIn {
  readonly #configuration: client.Configuration;
  readonly #browser = new TerminalBrowser(CALLBACK);
  readonly #verifier = client.randomPKCECodeVerifier();
  readonly #state = client.randomState();
  #interaction = '';
  #needsCheckCode = false;

  private constructor(configuration: client.Configuration) {
    this.#configuration = configuration;
  }

  /** Sends the authorization request. @throws Error if there is no provider with QR sign-in at this address */
  static async begin(issuer: string): Promise<TerminalSignIn> {
    const signIn = new TerminalSignIn(await discover(issuer, CLIENT_ID));
    const request = client.buildAuthorizationUrl(signIn.#configuration, {
      redirect_uri: CALLBACK,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(signIn.#verifier),
      code_challenge_method: 'S256',
      state: signIn.#state,
    });
    const { url } = await signIn.#browser.follow(request);
    signIn.#interaction = interactionOf(url);
    return signIn;
  }

  /** True if the approved sign-in needs the digits of the phone. */
  get needsCheckCode(): boolean {
    return this.#needsCheckCode;
  }

  /**
   * Yields the ticket, with each new code and each change, until it has ended. A stream that breaks off is reopened.
   */
  async *watch(): AsyncGenerator<TerminalTicket> {
    for (;;) {
      const url = new URL(`${this.#interaction}/qr/events`);
      const stream = await this.#browser.fetch(url, { headers: { Accept: 'text/event-stream' } });
      if (!stream.ok || stream.body === null)
        throw new Error(`The provider does not continue the sign-in (${stream.status}).`);
      for await (const ticket of ticketsIn(stream.body)) {
        this.#needsCheckCode = ticket.checkCode ?? false;
        yield ticket;
        if (ENDS.has(ticket.state)) return;
      }
      // A proxy may end each stream at once.
      await pause(1_000);
    }
  }

  /**
   * Finishes an approved sign-in, and gets the tokens.
   * @returns the name of the user; undefined if the digits are wrong
   * @throws Error if the sign-in is over
   */
  async finish(checkCode?: string): Promise<string | undefined> {
    const fields = checkCode === undefined ? {} : { checkCode };
    const answer = await this.#browser.post<FinishAnswer>(`${this.#interaction}/qr/finish`, fields);
    if ('error' in answer) {
      if (['wrong_check_code', 'check_code_required'].includes(answer.error)) return undefined;
      throw new Error(answer.error_description);
    }
    const { url, isPage } = await this.#browser.follow(new URL(answer.redirectTo, this.#interaction));
    if (isPage) throw new Error(`The provider asks for more than a terminal can answer: ${url}`);
    const checks = { pkceCodeVerifier: this.#verifier, expectedState: this.#state };
    const tokens = await client.authorizationCodeGrant(this.#configuration, url, checks);
    const { sub = '' } = tokens.claims() ?? {};
    const { name } = await client.fetchUserInfo(this.#configuration, tokens.access_token, sub);
    return name ?? sub;
  }
}

/** Reads the tickets in a stream of events (WHATWG HTML, section 9.2). */
async function* ticketsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<TerminalTicket> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, data] = /^data: ?(\{.*)$/.exec(line) ?? [];
      const ticket: TerminalTicket | undefined = data === undefined ? undefined : JSON.parse(data);
      if (ticket?.state !== undefined) yield ticket;
    }
  }
}
