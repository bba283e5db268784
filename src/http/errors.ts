import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { type ErrorCode, QrLoginError } from '../ticket/errors.ts';
import { wantsJson } from './answers.ts';
import type { Views } from './views.ts';

/** The one place where codes become statuses (RFC 9110, section 15). */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  check_code_required: 400,
  not_signed_in: 401,
  account_unavailable: 403,
  foreign_origin: 403,
  invalid_csrf: 403,
  sign_in_again: 403,
  insufficient_acr: 403,
  wrong_account: 403,
  wrong_check_code: 403,
  no_interaction: 404,
  not_found: 404,
  wrong_state: 409,
  account_switch: 409,
  over: 410,
  too_large: 413,
  unsupported_media_type: 415,
  store_unavailable: 503,
};

const RETRY_AFTER_SECONDS = '2';

/** Renders what went wrong as JSON or as a page, whichever was asked for. What nobody foresaw goes on to the host. */
export function answerErrors(provider: Provider, views: Views): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof QrLoginError)) throw error;
      provider.emit('qr_login.failed', ctx, error);
      ctx.status = STATUS[error.code];
      if (ctx.status === 503) ctx.set('Retry-After', RETRY_AFTER_SECONDS);
      if (wantsJson(ctx)) ctx.body = { error: error.code, error_description: error.message };
      else views.render(ctx, 'error', { code: error.code, back: ctx.state.back, home: ctx.state.home });
    }
  };
}
