/**
 * A phone as an HTTP client: it signs in on the example's password page, then uses the plugin's phone URLs with JSON.
 */
import { CookieJar } from 'tough-cookie';

/** The ticket as the server describes it to the phone that has scanned it. */
export interface ScannedTicket {
  readonly state: string;
  readonly client: { readonly name: string; readonly host?: string };
  readonly account: string;
  readonly scopes: readonly string[];
  readonly browser: { readonly name?: string; readonly system?: string };
  readonly shownAgo: number;
  readonly csrf: string;
  readonly signInAgain?: string;
  readonly checkCode?: string;
}

const MAX_REDIRECTS = 10;

export class PhoneClient {
  readonly #jar = new CookieJar();
  #ticket: { url: URL; csrf: string } | undefined;

  /** Opens the address, follows to the password page, and signs in there. */
  async signIn(address: string, name: string, password: string): Promise<void> {
    const page = await this.#follow(new URL(address));
    if (!page.url.pathname.endsWith('/password')) return;
    const back = await this.#follow(page.url, new URLSearchParams({ name, password }));
    if (back.url.pathname.endsWith('/password')) throw new Error('Name or password is wrong.');
  }

  async scan(address: string): Promise<ScannedTicket> {
    const { csrf } = await this.#json<{ csrf: string }>(new URL(address));
    const { redirectTo } = await this.#json<{ redirectTo: string }>(new URL(address), { csrf });
    const url = new URL(redirectTo, address);
    const ticket = await this.#json<ScannedTicket>(url);
    this.#ticket = { url, csrf: ticket.csrf };
    return ticket;
  }

  async decide(decision: 'approve' | 'deny'): Promise<ScannedTicket> {
    if (this.#ticket === undefined) throw new Error('Scan first.');
    const { url, csrf } = this.#ticket;
    return this.#json<ScannedTicket>(url, { csrf, decision });
  }

  async #json<T>(url: URL, fields?: Record<string, string>): Promise<T> {
    const response = await this.#fetch(url, {
      headers: { Accept: 'application/json', ...(fields && { 'Content-Type': 'application/json' }) },
      ...(fields && { method: 'POST', body: JSON.stringify(fields) }),
    });
    const answer = (await response.json().catch(() => {
      throw new Error(
        `${url} is no page of a QR sign-in (status ${response.status}). Copy the link below the code again.`,
      );
    })) as T & { error_description?: string };
    if (!response.ok) throw new Error(answer.error_description ?? `${response.status} from ${url}`);
    return answer;
  }

  async #follow(start: URL, form?: URLSearchParams): Promise<{ url: URL; response: Response }> {
    let url = start;
    let response = await this.#fetch(url, {
      ...(form && { method: 'POST', body: form }),
      headers: { Accept: 'text/html' },
    });
    for (let redirects = 0; response.headers.has('location'); redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`${start} redirects without end`);
      url = new URL(response.headers.get('location') ?? '', url);
      response = await this.#fetch(url, { headers: { Accept: 'text/html' } });
    }
    return { url, response };
  }

  async #fetch(url: URL, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const cookie = await this.#jar.getCookieString(url.href);
    const request = { ...init, redirect: 'manual', headers: { ...init.headers, cookie } } as const;
    const response = await fetch(url, request).catch((cause: unknown) => {
      throw new Error(`Nothing answers at ${url.origin}. Is the provider running, and is the port right?`, { cause });
    });
    for (const set of response.headers.getSetCookie()) await this.#jar.setCookie(set, url.href);
    return response;
  }
}
