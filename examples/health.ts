/**
 * Probes for load balancers and orchestrators: `/health` answers whether this process can take requests, `/alive`
 * whether it must be restarted.
 */
import type { Middleware } from 'koa';
import type { QrLogin } from '../src/index.ts';

export function health(qr: QrLogin): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/health') {
      const figures = await qr.health();
      ctx.status = figures.ok ? 200 : 503;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = figures;
      return;
    }
    // Independent of the store, because a restart of this process would not repair the store.
    if (ctx.path === '/alive') {
      ctx.body = 'yes';
      return;
    }
    await next();
  };
}
