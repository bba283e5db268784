import type { Context, Middleware } from 'koa';
import type { Provider } from '../oidc/provider.ts';
import { DecidedOtherwise, type ErrorCode, QrLoginError } from '../ticket/errors.ts';
import type { FailureEvent } from './events/ticket-events.ts';
import type { PageRenderer } from './pages/renderer.ts';
import { sourceOf } from './request/client-info.ts';
import type { PluginRequest } from './request/plugin-request.ts';
import { TooManyRequests } from './request/rate-limits.ts';
import { wantsJson } from './request/responses.ts';
import { protectAnswer } from './request/security-headers.ts';

/** The status of each code (RFC 9110, section 15). */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  check_code_required: 400,
  proof_required: 400,
  not_signed_in: 401,
  account_unavailable: 403,
  foreign_origin: 403,
  invalid_csrf: 403,
  sign_in_again: 403,
  insufficient_acr: 403,
  wrong_account: 403,
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
  store_unavailable: 503,
};

const RETRY_AFTER_S = '2';

/** A request that may be refused; not all of them are to the plugin's own URLs. */
type RefusableRequest = Pick<PluginRequest, 'isForScripts' | 'failure'> & { readonly ctx: Context };

export interface ErrorPorts {
  readonly provider: Provider;
  readonly renderer: Pick<PageRenderer, 'render'>;
}

/** Answers a refusal as JSON or as a page, as the client prefers. Any other error is thrown on, to the host. */
export function answerError(ports: ErrorPorts, request: RefusableRequest, error: unknown): void {
  const refusal = refusalIn(error);
  if (refusal === undefined) throw error;
  answer(ports, request, refusal);
}

/** The errors that requests to oidc-provider's own URLs and to the deployment's pages can end with. */
const BEYOND_OUR_URLS: ReadonlySet<ErrorCode> = new Set(['store_unavailable', 'too_many_requests']);

/**
 * Answers for the rest of the provider: adds `Retry-After` to the answers of oidc-provider while the store is out of
 * reach, and renders the error for the deployment's own pages and for a client that starts too many requests.
 */
export function answerTrouble(ports: ErrorPorts): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', RETRY_AFTER_S);
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined || !BEYOND_OUR_URLS.has(refusal.code)) throw error;
      answer(ports, { ctx, isForScripts: false, failure: {} }, refusal);
    }
  };
}

/** Returns the refusal in an error. Errors of oidc-provider's models have it as their cause. */
function refusalIn(error: unknown): QrLoginError | undefined {
  if (error instanceof QrLoginError) return error;
  return error instanceof Error && error.cause instanceof QrLoginError ? error.cause : undefined;
}

/**
 * Emits `qr_login.failed` and sets the status. The caller sets the body. A 401 has a challenge (RFC 9110, section 11.6.1)
 * with the scheme of a session cookie, which is not registered: no registered scheme fits one.
 */
export function fail(provider: Provider, { ctx, failure }: RefusableRequest, error: QrLoginError): void {
  const { accountId } = failure;
  const event: FailureEvent = { code: error.code, from: sourceOf(ctx), ...(accountId && { accountId }) };
  provider.emit('qr_login.failed', ctx, error, event);
  ctx.status = STATUS[error.code];
  if (ctx.status === 503) ctx.set('Retry-After', RETRY_AFTER_S);
  if (ctx.status === 401) ctx.set('WWW-Authenticate', `Cookie realm="${provider.issuer}"`);
}

function answer({ provider, renderer }: ErrorPorts, request: RefusableRequest, error: QrLoginError): void {
  const { ctx, failure } = request;
  protectAnswer(ctx);
  fail(provider, request, error);
  const { code, reason, message } = error;
  const retryAfter = error instanceof TooManyRequests ? error.retryAfter : undefined;
  if (retryAfter !== undefined) ctx.set('Retry-After', `${retryAfter}`);
  const state = error instanceof DecidedOtherwise ? { state: error.state } : {};
  if (wantsJson(request)) ctx.body = { error: code, ...(reason && { reason }), ...state, error_description: message };
  else {
    const { back, home, again } = failure;
    renderer.render(ctx, 'error', { code, reason, retryAfter, back, home, again });
  }
}
