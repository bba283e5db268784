/** The browser of the programs in the terminal: it follows redirects, keeps cookies and sends JSON. */
import * as client from 'openid-client';
import { CookieJar } from 'tough-cookie';

const MAX_REDIRECTS = 10;

/** The page at which a chain of redirects ends, or the address of the app to which it leads. */
export interface Arrival {
  readonly url: URL;
  readonly isPage: boolean;
}

export class TerminalBrowser {
  readonly #jar = new CookieJar();
  readonly #callback: string;

  /** @param callback the redirect URI of the program, to which no request is sent */
  constructor(callback: string) {
    this.#callback = callback;
  }

  /** Follows redirects from a page. @param form posted to the first page */
  async follow(start: URL, form?: URLSearchParams): Promise<Arrival> {
    let url = start;
    let response = await this.fetch(url, {
      headers: { Accept: 'text/html' },
      ...(form && { method: 'POST', body: form }),
    });
    for (let redirects = 0; response.headers.has('location'); redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`${start} redirects without end`);
      url = new URL(response.headers.get('location') ?? '', url);
      if (url.href.startsWith(this.#callback)) return { url, isPage: false };
      response = await this.fetch(url, { headers: { Accept: 'text/html' } });
    }
    return { url, isPage: true };
  }

  /** Posts JSON. @returns the JSON of the answer, also of a refusal */
  async post<Body>(url: string, body: object): Promise<Body> {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    const response = await this.fetch(new URL(url), { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Body;
  }

  /** Sends a request with the cookies, and keeps those of the answer. */
  async fetch(url: URL, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const cookie = await this.#jar.getCookieString(url.href);
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });
    for (const set of response.headers.getSetCookie()) await this.#jar.setCookie(set, url.href);
    return response;
  }
}

/** Returns the address of the interaction that a page belongs to. @throws Error for the address of any other page */
export function interactionOf({ href }: URL): string {
  const [interaction] = /^.*\/interaction\/[\w-]+/.exec(href) ?? [];
  if (interaction === undefined) throw new Error(`The sign-in has ended at ${href}`);
  return interaction;
}

/** Reads the provider's metadata. @throws Error that says what to check, if there is no provider */
export async function discover(issuer: string, clientId: string): Promise<client.Configuration> {
  const options = { execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] };
  try {
    return await client.discovery(new URL(issuer), clientId, undefined, client.None(), options);
  } catch (cause) {
    throw discoveryFailure(issuer, cause);
  }
}

function discoveryFailure(issuer: string, cause: unknown): Error {
  const { origin } = new URL(issuer);
  const isReached = cause instanceof client.ClientError && cause.code !== 'OAUTH_TIMEOUT' && !isNetwork(cause);
  const message = isReached
    ? `${issuer} is no provider. Copy the link below the code again.`
    : `Nothing answers at ${origin}. Is the provider running, and is the port right?`;
  return new Error(message, { cause });
}

function isNetwork({ cause }: Error): boolean {
  return cause instanceof TypeError;
}
