import type { Context, Middleware } from 'koa';
import type { Provider } from '../oidc/provider.ts';
import { type ErrorCode, QrLoginError } from '../ticket/errors.ts';
import type { FailureEvent } from './events/ticket-events.ts';
import type { Views } from './pages/renderer.ts';
import { sourceOf } from './request/client-info.ts';
import { TooManyRequests } from './request/rate-limits.ts';
import { wantsJson } from './request/responses.ts';
import { protectAnswer } from './request/security-headers.ts';

/** The one place where codes become statuses (RFC 9110, section 15). */
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
  wrong_state: 409,
  account_switch: 409,
  over: 410,
  too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  store_unavailable: 503,
};

const RETRY_AFTER_SECONDS = '2';

/** Renders what went wrong as JSON or as a page, whichever was asked for. What nobody foresaw goes on to the host. */
export function answerError(provider: Provider, views: Views, ctx: Context, error: unknown): void {
  const known = refusalIn(error);
  if (known === undefined) throw error;
  answer(provider, views, ctx, known);
}

/**
 * The same for the whole provider, where the store is out of reach: for its own URLs, which answer by themselves and are told
 * when to try again, and for the deployment's pages behind ours.
 */
export function answerTrouble(provider: Provider, views: Views): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 503 && !ctx.response.get('Retry-After')) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
    } catch (error) {
      const known = refusalIn(error);
      if (known?.code !== 'store_unavailable') throw error;
      answer(provider, views, ctx, known);
    }
  };
}

/** What oidc-provider's models throw has our refusal as its cause. */
function refusalIn(error: unknown): QrLoginError | undefined {
  if (error instanceof QrLoginError) return error;
  return error instanceof Error && error.cause instanceof QrLoginError ? error.cause : undefined;
}

/** Tells the deployment, and sets the status; what stands in the answer is for the caller to say. */
export function fail(provider: Provider, ctx: Context, error: QrLoginError): void {
  const { accountId } = ctx.state;
  const failure: FailureEvent = { code: error.code, from: sourceOf(ctx), ...(accountId && { accountId }) };
  provider.emit('qr_login.failed', ctx, error, failure);
  ctx.status = STATUS[error.code];
  if (ctx.status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
}

function answer(provider: Provider, views: Views, ctx: Context, error: QrLoginError): void {
  protectAnswer(ctx);
  fail(provider, ctx, error);
  const { code, message } = error;
  const retryAfter = error instanceof TooManyRequests ? error.retryAfter : undefined;
  if (retryAfter !== undefined) ctx.set('Retry-After', `${retryAfter}`);
  if (wantsJson(ctx)) ctx.body = { error: code, error_description: message };
  else {
    const { back, home, again } = ctx.state;
    views.render(ctx, 'error', { code, retryAfter, back, home, again });
  }
}
