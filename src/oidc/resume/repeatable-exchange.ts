import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { Exchange } from '../../stores/adapter/exchange.ts';

/**
 * Makes it possible to exchange an authorization code, a refresh token or another single-use record again after a
 * failure. Mounted around oidc-provider's token endpoint. While the request runs, the adapter only claims the record.
 * This middleware consumes the record at the last moment before the tokens are sent, or gives it back if the answer is
 * a 5xx. That needs the adapter of this package, because others cannot claim a record.
 */
export function repeatExchange(provider: Provider): Middleware {
  const path = provider.pathFor('token', { mountPath: '' });
  return async (ctx, next) => {
    if (ctx.path !== path) return next();
    const exchange = new Exchange();
    try {
      await exchange.run(next);
      if (ctx.status < 500) await finish(exchange, ctx);
    } catch (error) {
      await exchange.release();
      throw error;
    }
    if (ctx.status >= 500) await exchange.release();
  };
}

async function finish(exchange: Exchange, ctx: Context): Promise<void> {
  try {
    if (await exchange.finish()) return;
    answer(ctx, 400, 'invalid_grant', 'it was used by another request at the same time');
  } catch {
    answer(ctx, 503, 'temporarily_unavailable', 'the store is out of reach, try again in a moment');
  }
}

/** Replaces the tokens in the answer, which were not sent yet, by an error (RFC 6749, section 5.2). */
function answer(ctx: Context, status: number, error: string, description: string): void {
  ctx.status = status;
  ctx.body = { error, error_description: description };
}
