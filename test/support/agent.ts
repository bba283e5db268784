/** An HTTP client with a cookie jar that honours Path, as browsers do. It does not follow redirects by itself. */
import { CookieJar } from 'tough-cookie';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  /** A body that is sent unchanged. `headers` must contain its content type. */
  readonly body?: string | Buffer<ArrayBuffer>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Returns the body as JSON. Throws if it is not JSON. */
  readonly json: () => Record<string, unknown>;
  /** The `Location` header, or an empty string. */
  readonly location: string;
}

/** A stream of Server-Sent Events, which are read one by one. */
export class EventStream {
  readonly response: Response;
  readonly #controller: AbortController;
  readonly #chunks: AsyncIterator<string>;
  #buffer = '';

  constructor(response: Response, controller: AbortController) {
    if (response.body === null) throw new Error('the answer has no body');
    this.response = response;
    this.#controller = controller;
    this.#chunks = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  /** Returns the next block up to an empty line, or undefined if the stream has ended. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#buffer += value;
    }
  }

  /** Returns the next ticket, or the next one in this state. @throws Error if the stream ends before that */
  async ticket(state?: string): Promise<Record<string, unknown>> {
    for (let block = await this.block(); block !== undefined; block = await this.block()) {
      const [, id, data = ''] = /^event: ticket\nid: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      if (id === undefined) continue;
      const ticket: Record<string, unknown> = JSON.parse(data);
      if (ticket.version !== Number(id)) throw new Error(`the event ${id} holds version ${ticket.version}`);
      if (state === undefined || ticket.state === state) return ticket;
    }
    throw new Error(`the stream ended before it sent a ticket${state ? ` that is ${state}` : ''}`);
  }

  close(): void {
    this.#controller.abort();
  }
}

const MOST_REDIRECTS = 12;

export class Agent {
  readonly jar: CookieJar = new CookieJar();
  readonly #headers: Record<string, string>;
  readonly #network: typeof fetch;

  /** @param network another `fetch`, for an agent that trusts other certificates or has another address */
  constructor(headers: Record<string, string> = {}, network: typeof fetch = fetch) {
    this.#headers = headers;
    this.#network = network;
  }

  get(url: string | URL, sent: RequestOptions = {}): Promise<Answer> {
    return this.send(url, sent);
  }

  post(url: string | URL, sent: RequestOptions = {}): Promise<Answer> {
    return this.send(url, { method: 'POST', ...sent });
  }

  /**
   * Sends a GET request and follows redirects, until `stop` returns true for the next URL or an answer does not
   * redirect.
   */
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

  async send(url: string | URL, sent: RequestOptions): Promise<Answer> {
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

  async stream(url: string | URL): Promise<EventStream> {
    const controller = new AbortController();
    const headers = { accept: 'text/event-stream' };
    return new EventStream(await this.raw(url, { headers, signal: controller.signal }), controller);
  }

  /** Returns the response without reading its body, for streams. */
  async raw(
    url: string | URL,
    { method = 'GET', headers = {}, json, form, body, signal }: RequestOptions,
  ): Promise<Response> {
    const cookie = await this.jar.getCookieString(`${url}`);
    const payload =
      json !== undefined ? JSON.stringify(json) : form !== undefined ? `${new URLSearchParams(form)}` : body;
    const response = await this.#network(url, {
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
