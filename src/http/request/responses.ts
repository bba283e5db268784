import type { Context } from 'koa';
import type { PluginRequest } from './plugin-request.ts';

/**
 * Returns true if this client is answered in JSON: it asks for JSON, it sent JSON, or only apps or scripts use the URL.
 * A form that does not ask for JSON gets a page, also from a URL for scripts.
 */
export function wantsJson({
  ctx,
  isForScripts,
  isForApps,
}: Pick<PluginRequest, 'isForScripts' | 'isForApps'> & { readonly ctx: Context }): boolean {
  if (isForApps) return true;
  if (ctx.accepts(['html', 'json']) === 'json' || ctx.request.type === 'application/json') return true;
  return isForScripts && ctx.request.type !== 'application/x-www-form-urlencoded';
}

/** Sends the client on: a script gets the address as JSON, a form is redirected. */
export function follow(request: PluginRequest, redirectTo: string): void {
  if (wantsJson(request)) request.ctx.body = { redirectTo };
  else seeOther(request.ctx, redirectTo);
}

/** Redirects a POST to a GET (RFC 9110, section 15.4.4). */
export function seeOther(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

/** Returns a duration in seconds with one decimal, as the JSON answers have it; never negative. */
export function toSeconds(milliseconds: number): number {
  return Math.max(0, Math.ceil(milliseconds / 100) / 10);
}
