import type { Context } from 'koa';

/** Gives headers of the answer the values that they had before; those that were added are removed. */
export function restoreHeaders(ctx: Context, before: ReturnType<Context['res']['getHeaders']>, names: string[]): void {
  if (ctx.headerSent) return;
  for (const name of names) {
    const value = before[name];
    if (value === undefined) ctx.res.removeHeader(name);
    else ctx.res.setHeader(name, value);
  }
}
