import type { Context } from 'koa';

/**
 * Whether this client is answered in JSON: it says so, or it sent JSON, or the URL is one that only scripts ask
 * (`ctx.state.forScripts`). A form is answered with a page.
 */
export function wantsJson(ctx: Context): boolean {
  if (ctx.accepts(['html', 'json']) === 'json' || ctx.request.type === 'application/json') return true;
  return ctx.state.forScripts === true && ctx.request.type !== 'application/x-www-form-urlencoded';
}

/** Leads on: scripts are told where, forms are sent there. */
export function follow(ctx: Context, redirectTo: string): void {
  if (wantsJson(ctx)) ctx.body = { redirectTo };
  else seeOther(ctx, redirectTo);
}

/** After a POST, a GET (RFC 9110, section 15.4.4). */
export function seeOther(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

/** Seconds with one digit behind the point, as the wire has them. */
export function seconds(milliseconds: number): number {
  return Math.max(0, Math.ceil(milliseconds / 100) / 10);
}
