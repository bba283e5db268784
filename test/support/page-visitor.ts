/** A browser with the page's script: it waits on a stream, comes back where that ends, and repeats what was not answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { BrowserVisitor } from './visitors.ts';

/** How a stream has ended: with the milliseconds after which to come back, or by breaking off. */
export type StreamEnd = { readonly retry: number } | 'broken';

/** Where nobody has said when to come back. */
const COME_BACK_AFTER = 500;
const ASK_AGAIN_AFTER = 200;
/** In milliseconds: below Mocha's time-out of 60 s, so that a failure says which request had no answer. */
const PATIENCE = 50_000;

export class PageVisitor extends BrowserVisitor {
  /** How its streams have ended before it saw what it waited for. */
  readonly ends: StreamEnd[] = [];
  /** Resolves once it has heard something. */
  readonly listens: Promise<void>;
  #onListening: () => void = () => undefined;

  constructor(...visitor: ConstructorParameters<typeof BrowserVisitor>) {
    super(...visitor);
    this.listens = new Promise((resolve) => {
      this.#onListening = resolve;
    });
  }

  /** Waits on one stream after the other for the ticket to be in this state. */
  async until(state: string): Promise<Record<string, unknown>> {
    for (;;) {
      const seen = await this.#listen(state).catch(() => 'broken' as const);
      if (seen !== 'broken' && !('retry' in seen)) return seen.ticket;
      this.ends.push(seen);
      await pause(seen === 'broken' ? COME_BACK_AFTER : seen.retry);
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
 * Asks again where there is no answer, or only that of a server in trouble: the page's script does so by itself, and people do who are
 * shown such an answer. Repeating is harmless.
 * @param onRepeat told why it asks again
 */
export function patiently(network: typeof fetch, onRepeat: (why: string) => void = () => undefined): typeof fetch {
  return async (input, init) => {
    const until = performance.now() + PATIENCE;
    for (;;) {
      const answer = await whole(network, input, init);
      if (answer instanceof Response && answer.status < 500) return answer;
      const why = answer instanceof Response ? `${answer.status}` : `${answer.cause ?? answer}`;
      if (performance.now() > until) throw new Error(`no answer to ${init?.method ?? 'GET'} ${input}: ${why}`);
      onRepeat(`${init?.method ?? 'GET'} ${new URL(`${input}`).pathname}: ${why}`);
      await pause(ASK_AGAIN_AFTER);
    }
  };
}

/** The answer with all of its body, which may break off as well; only of a stream it is the beginning. */
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
