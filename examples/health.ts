/** What load balancers and orchestrators ask: `/health`, whether to send requests here; `/alive`, whether to restart this. */
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
    // It does not ask for the store: a restart would not mend that.
    if (ctx.path === '/alive') {
      ctx.body = 'yes';
      return;
    }
    await next();
  };
}
