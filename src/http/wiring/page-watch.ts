import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { notReached, otherRoute, type WiringFault } from './wiring-fault.ts';

/** Node's channel for each answer of each HTTP/1.1 server in this process. */
const ANSWERS = 'http.server.response.finish';

/** The path of an interaction page, below any mount path. */
const PAGE = /\/interaction\/([^/?]+)$/;

/** The most interactions whose page is awaited at a time. */
const MAX_AWAITED = 20;

interface Answer {
  readonly request: IncomingMessage & { readonly originalUrl?: string };
  readonly response: ServerResponse;
}

/**
 * Notices if something other than the plugin answers the page of an interaction: the host, or a route in front of the
 * plugin's routes. It listens from the first interaction until the first page request reaches the plugin, so it costs
 * nothing afterwards.
 */
export class PageWatch {
  readonly #base: string;
  readonly #onMissed: (fault: WiringFault, ctx: Context) => void;
  /** The requests that have started an interaction, by its uid. */
  readonly #awaited = new Map<string, Context>();
  #state: 'idle' | 'listening' | 'ended' = 'idle';

  /** @param onMissed gets the fault, and the request that started the interaction */
  constructor(base: string, onMissed: (fault: WiringFault, ctx: Context) => void) {
    this.#base = base;
    this.#onMissed = onMissed;
  }

  /** Awaits the page of an interaction that this request has started. */
  expect(uid: string, ctx: Context): void {
    if (this.#state === 'ended') return;
    const [oldest] = this.#awaited.keys();
    if (oldest !== undefined && this.#awaited.size >= MAX_AWAITED) this.#awaited.delete(oldest);
    this.#awaited.set(uid, ctx);
    if (this.#state === 'listening') return;
    this.#state = 'listening';
    subscribe(ANSWERS, this.#look);
  }

  /** Notes that a request for the page has arrived. Mounted in front of the plugin's routes. */
  readonly noteArrival: Middleware = (ctx, next) => {
    if (this.#state !== 'ended' && PAGE.test(ctx.path)) this.end();
    return next();
  };

  end(): void {
    if (this.#state === 'listening') unsubscribe(ANSWERS, this.#look);
    this.#state = 'ended';
    this.#awaited.clear();
  }

  readonly #look = (message: unknown): void => {
    const { request, response } = message as Answer;
    const [path = ''] = (request.originalUrl ?? request.url ?? '').split('?');
    const uid = PAGE.exec(path)?.[1] ?? '';
    const ctx = this.#awaited.get(uid);
    if (ctx === undefined || request.method !== 'GET') return;
    this.#awaited.delete(uid);
    if (response.statusCode === 404) this.#onMissed(notReached(path, this.#base), ctx);
    else if (response.statusCode < 400) this.#onMissed(otherRoute(path), ctx);
  };
}
