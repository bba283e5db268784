/** An HTTP client with a cookie jar that honours Path, as browsers do. It follows no redirect by itself. */
import { CookieJar } from 'tough-cookie';

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  /** Sent as it is, with the content type that the headers say. */
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws where it is none. */
  readonly json: () => Record<string, unknown>;
  /** Where a redirect leads. */
  readonly location: string;
}

const MOST_REDIRECTS = 12;

export class Agent {
  readonly jar: CookieJar = new CookieJar();
  readonly #headers: Record<string, string>;

  constructor(headers: Record<string, string> = {}) {
    this.#headers = headers;
  }

  get(url: string | URL, sent: Sent = {}): Promise<Answer> {
    return this.send(url, sent);
  }

  post(url: string | URL, sent: Sent = {}): Promise<Answer> {
    return this.send(url, { method: 'POST', ...sent });
  }

  /** GETs, and goes on where redirects lead, until `stop` says so or there is none left. */
  async follow(start: string | URL, stop: (url: URL) => boolean = () => false): Promise<Answer> {
    let answer = await this.get(start, { headers: { accept: 'text/html' } });
    for (let redirects = 0; answer.headers.has('location'); redirects++) {
      if (redirects === MOST_REDIRECTS) throw new Error(`${start} redirects without end`);
      const next = new URL(answer.location, answer.url);
      if (stop(next)) return answer;
      answer = await this.get(next, { headers: { accept: 'text/html' } });
    }
    return answer;
  }

  async send(url: string | URL, sent: Sent): Promise<Answer> {
    const response = await this.raw(url, sent);
    const text = await response.text();
    return {
      url: new URL(url),
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text),
      location: response.headers.get('location') ?? '',
    };
  }

  /** The response before its body is read, for streams. */
  async raw(url: string | URL, { method = 'GET', headers = {}, json, form, body, signal }: Sent): Promise<Response> {
    const cookie = await this.jar.getCookieString(`${url}`);
    const payload =
      json !== undefined ? JSON.stringify(json) : form !== undefined ? `${new URLSearchParams(form)}` : body;
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        ...this.#headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(cookie !== '' && { cookie }),
        ...headers,
      },
      ...(payload !== undefined && { body: payload }),
      ...(signal && { signal }),
    });
    for (const set of response.headers.getSetCookie()) await this.jar.setCookie(set, `${url}`);
    return response;
  }
}
