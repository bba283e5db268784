import type { Context, Middleware, Next } from 'koa';
import { AppChallenge } from '../oidc/apps/app-challenge.ts';
import { callListener } from '../oidc/call-listener.ts';
import type { Provider } from '../oidc/provider.ts';
import type { ProviderError } from '../oidc/provider-error.ts';
import { DecidedOtherwise, type ErrorCode, type QrLoginError, refusalIn } from '../ticket/errors.ts';
import type { FailureEvent } from './events/ticket-events.ts';
import { serverError } from './hooks/call-hook.ts';
import type { Pages } from './pages/page-data.ts';
import type { PageRenderer } from './pages/renderer.ts';
import { sourceOf } from './request/client-info.ts';
import type { PluginRequest } from './request/plugin-request.ts';
import { TooManyRequests } from './request/rate-limits.ts';
import { wantsJson } from './request/responses.ts';
import { protectAnswer } from './request/security-headers.ts';
import type { Urls } from './request/urls.ts';
import { isInDevelopment, WiringFault } from './wiring/wiring-fault.ts';

/** The status of each code (RFC 9110, section 15). */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  check_code_required: 400,
  proof_required: 400,
  not_signed_in: 401,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_user_authentication: 401,
  account_unavailable: 403,
  insufficient_scope: 403,
  app_refused: 403,
  foreign_origin: 403,
  invalid_csrf: 403,
  sign_in_again: 403,
  insufficient_acr: 403,
  wrong_account: 403,
  not_enrolled: 403,
  wrong_check_code: 403,
  wrong_proof: 403,
  no_interaction: 404,
  not_found: 404,
  method_not_allowed: 405,
  wrong_state: 409,
  account_switch: 409,
  over: 410,
  too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  server_error: 500,
  store_unavailable: 503,
  hook_timeout: 503,
  newer_record: 503,
};

/** Returns the status with which an error is answered. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

const RETRY_AFTER_S = '2';

/** A request that may be refused. It may be to the plugin's own URLs, or to other URLs of the provider. */
type RefusableRequest = Pick<PluginRequest, 'isForScripts' | 'isForApps' | 'failure'> & { readonly ctx: Context };

export interface ErrorPorts {
  readonly provider: Provider;
  readonly renderer: Pick<PageRenderer, 'render' | 'renderBuiltIn'>;
}

/** Answers a refusal as JSON or as a page, as the client prefers. Any other error is answered as a `server_error`. */
export function answerError(ports: ErrorPorts, request: RefusableRequest, error: unknown): void {
  answer(ports, request, refusalIn(error) ?? serverError(error));
}

/** Runs the middleware that comes after a middleware of the plugin, and notes the error that it throws. */
export class InnerMiddleware {
  readonly #next: Next;
  #thrown: { readonly error: unknown } | undefined;

  constructor(next: Next) {
    this.#next = next;
  }

  readonly run: Next = async () => {
    try {
      await this.#next();
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  };

  hasThrown(error: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown.error === error;
  }
}

/**
 * Makes a middleware of the plugin throw a `server_error` for its own faults. Errors of inner middleware are passed on.
 */
export function throwRefusals(middleware: Middleware): Middleware {
  return async (ctx, next) => {
    const inner = new InnerMiddleware(next);
    try {
      await middleware(ctx, inner.run);
    } catch (error) {
      throw inner.hasThrown(error) || refusalIn(error) !== undefined ? error : serverError(error);
    }
  };
}

/** The errors that requests to oidc-provider's own URLs and to the deployment's pages can end with. */
const BEYOND_OUR_URLS: ReadonlySet<ErrorCode> = new Set([
  'store_unavailable',
  'too_many_requests',
  'newer_record',
  'hook_timeout',
  'server_error',
]);

/**
 * Handles errors outside of the plugin's own URLs: adds `Retry-After` to the answers of oidc-provider while the store
 * is out of reach, and renders the error for the deployment's own pages and for a client that starts too many requests.
 */
export function answerTrouble(ports: ErrorPorts): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', RETRY_AFTER_S);
    } catch (error) {
      const refusal = refusalIn(error);
      // Koa would never answer if undefined was thrown, as by `Promise.reject()`.
      if (refusal === undefined || !BEYOND_OUR_URLS.has(refusal.code)) throw error ?? serverError(error).cause;
      answer(ports, { ctx, isForScripts: false, failure: {} }, refusal);
    }
  };
}

/** The errors that an operator has to look into. */
const FAULTS: ReadonlySet<ErrorCode> = new Set(['hook_timeout', 'server_error']);

/**
 * Emits `qr_login.failed`, for a fault also `server_error`, and sets the status. The caller sets the body. A 401 needs
 * a challenge (RFC 9110, section 11.6.1): for an app, the challenge for its token; for a page, a challenge with the
 * unregistered scheme `Cookie`, because no registered scheme stands for a session cookie.
 */
export function fail(provider: Provider, { ctx, failure }: RefusableRequest, error: QrLoginError): void {
  const { accountId } = failure;
  const event: FailureEvent = { code: error.code, from: sourceOf(ctx), ...(accountId && { accountId }) };
  // Each app begins without a nonce, so a missing nonce is no failure.
  if (error.code !== 'use_dpop_nonce') callListener(() => provider.emit('qr_login.failed', ctx, error, event));
  if (FAULTS.has(error.code)) reportFault(provider, ctx, error.cause);
  ctx.status = statusOf(error.code);
  if (ctx.status === 503) ctx.set('Retry-After', RETRY_AFTER_S);
  if (error instanceof AppChallenge)
    ctx.set('WWW-Authenticate', failure.takesBearer ? error.headerForClients : error.header);
  else if (ctx.status === 401) ctx.set('WWW-Authenticate', `Cookie realm="${provider.issuer}"`);
}

/**
 * Reports a fault as oidc-provider does, by `server_error`, and by Koa's `error`, which is written to standard error if
 * no listener takes it.
 */
function reportFault(provider: Provider, ctx: Context, fault: unknown): void {
  callListener(() => provider.emit('server_error', ctx, fault));
  callListener(() => ctx.app.emit('error', fault, ctx));
}

/**
 * Renders the error page. If a template or a text of the deployment throws, the built-in page takes its place.
 * @param preferred languages that come before those of the browser
 */
function renderError(
  { provider, renderer }: ErrorPorts,
  ctx: Context,
  page: Pages['error'],
  preferred: readonly string[] = [],
): void {
  try {
    renderer.render(ctx, 'error', page, preferred);
  } catch (fault) {
    reportFault(provider, ctx, fault);
    renderer.renderBuiltIn(ctx, 'error', page, preferred);
  }
}

/** Renders an error of oidc-provider, which has set the status and emits its own event. */
export function renderProviderError(
  { urls, ...ports }: ErrorPorts & { readonly urls: Urls },
  ctx: Context,
  { locales, ...error }: ProviderError,
): void {
  protectAnswer(ctx);
  renderError(ports, ctx, { ...error, again: retryUrl(urls, ctx) }, locales);
}

/**
 * Returns the URL for "Try again": after a POST, the page with the form, because a GET cannot repeat a POST. If this
 * returns undefined, the error page links to its own URL. The header `Referer` is used only if it names a page of the
 * provider: it must not become a link to another site.
 */
function retryUrl(urls: Urls, ctx: Context): string | undefined {
  const referrer = ctx.get('referer');
  const isForm = ctx.method === 'POST' && URL.canParse(referrer);
  return isForm && new URL(referrer).origin === urls.origin ? referrer : undefined;
}

/** Returns what is wrong with the setup of the plugin, if that is the cause of an error in development. */
function setupHint({ cause }: QrLoginError): string | undefined {
  return cause instanceof WiringFault && isInDevelopment() ? cause.message : undefined;
}

function answer(ports: ErrorPorts, request: RefusableRequest, error: QrLoginError): void {
  const { ctx, failure } = request;
  protectAnswer(ctx);
  fail(ports.provider, request, error);
  // The headers of another answer were sent already, and cannot be taken back.
  if (ctx.res.headersSent) {
    ctx.res.destroy();
    return;
  }
  const { code, reason, message } = error;
  const retryAfter = error instanceof TooManyRequests ? error.retryAfter : undefined;
  if (retryAfter !== undefined) ctx.set('Retry-After', `${retryAfter}`);
  const state = error instanceof DecidedOtherwise ? { state: error.state } : {};
  if (wantsJson(request)) ctx.body = { error: code, ...(reason && { reason }), ...state, error_description: message };
  else {
    const { back, home, again, scan } = failure;
    renderError(ports, ctx, { code, reason, retryAfter, back, home, again, scan, setup: setupHint(error) });
  }
}
