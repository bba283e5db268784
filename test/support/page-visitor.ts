/**
 * A browser with the page's script: it waits on a stream, reconnects when the stream ends, and repeats requests without
 * an answer.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { BrowserVisitor } from './visitors.ts';

/** The end of a stream: the server asked the browser to reconnect after some milliseconds, or the stream broke. */
export type StreamEnd = { readonly retry: number } | 'broken';

/** The pause before the browser reconnects after a broken stream. */
const RECONNECT_MS = 500;
const RETRY_MS = 200;
/** Below Mocha's time-out, so that a failure says which request had no answer. */
const PATIENCE_MS = 50_000;

export class PageVisitor extends BrowserVisitor {
  /** The ends of all streams that ended before the browser saw the state that it waits for. */
  readonly ends: StreamEnd[] = [];
  /** Resolves when the browser has received the first block of a stream. */
  readonly listens: Promise<void>;
  #onListening: () => void = () => undefined;

  constructor(...visitor: ConstructorParameters<typeof BrowserVisitor>) {
    super(...visitor);
    this.listens = new Promise((resolve) => {
      this.#onListening = resolve;
    });
  }

  /**
   * Waits until the ticket is in this state, on one stream after the other.
   * @param given a signal that ends the wait with an error
   */
  async untilState(state: string, given?: AbortSignal): Promise<Record<string, unknown>> {
    for (;;) {
      given?.throwIfAborted();
      const outcome = await this.#listen(state).catch(() => 'broken' as const);
      if (outcome !== 'broken' && !('retry' in outcome)) return outcome.ticket;
      this.ends.push(outcome);
      await pause(outcome === 'broken' ? RECONNECT_MS : outcome.retry);
    }
  }

  async #listen(state: string): Promise<StreamEnd | { ticket: Record<string, unknown> }> {
    const stream = await this.events();
    try {
      for (let block = await stream.block(); block !== undefined; block = await stream.block()) {
        this.#onListening();
        const [, milliseconds] = /^retry: (\d+)$/.exec(block) ?? [];
        if (milliseconds !== undefined) return { retry: Number(milliseconds) };
        const [, data] = /^event: ticket\nid: \d+\ndata: (.*)$/.exec(block) ?? [];
        const ticket: Record<string, unknown> = data === undefined ? {} : JSON.parse(data);
        if (ticket.state === state) return { ticket };
      }
      return 'broken';
    } finally {
      stream.close();
    }
  }
}

/**
 * Returns a `fetch` that repeats a request if there is no answer or a 5xx answer. The page's script does the same, and
 * so do users who see an error page. A repeated request does no harm.
 * @param onRepeat called with the reason for each repetition
 */
export function patiently(network: typeof fetch, onRepeat: (why: string) => void = () => undefined): typeof fetch {
  return async (input, init) => {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await whole(network, input, init);
      if (answer instanceof Response && answer.status < 500) return answer;
      const why = answer instanceof Response ? `${answer.status}` : `${answer.cause ?? answer}`;
      if (performance.now() > until) throw new Error(`no answer to ${init?.method ?? 'GET'} ${input}: ${why}`);
      onRepeat(`${init?.method ?? 'GET'} ${new URL(`${input}`).pathname}: ${why}`);
      await pause(RETRY_MS);
    }
  };
}

/**
 * Sends a request and reads the whole body, because the body may also break off. The body of an event stream is not
 * read.
 */
async function whole(network: typeof fetch, ...request: Parameters<typeof fetch>): Promise<Response | Error> {
  try {
    const response = await network(...request);
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    const body = await response.text();
    return new Response(response.status === 204 ? null : body, response);
  } catch (error) {
    return error instanceof Error ? error : new Error(`${error}`);
  }
}
