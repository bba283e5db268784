import type { Context } from 'koa';
import { nestedMount, type WiringFault, wrongMount } from './wiring-fault.ts';

/**
 * Returns the fault if the provider is not mounted at the path of its issuer: oidc-provider and the plugin would then
 * send browsers to different paths.
 * @param base the path of the issuer
 */
export function mountFault(ctx: Context, issuer: string, base: string): WiringFault | undefined {
  const seen = withoutSlash(pathSeenByProvider(ctx));
  const mounted = withoutSlash(pathAbove(ctx));
  if (mounted.length > seen.length) return nestedMount(mounted, seen, issuer);
  // Express ignores case, so a client can write the path in upper or lower case.
  return seen.toLowerCase() === base.toLowerCase() ? undefined : wrongMount(seen, issuer, base);
}

/** Returns the mount path as oidc-provider's own `urlFor` determines it. */
function pathSeenByProvider(ctx: Context): string {
  const originalUrl = findText(ctx.req, 'originalUrl');
  const above = originalUrl?.substring(0, originalUrl.indexOf(ctx.request.url));
  return above || findText(ctx, 'mountPath') || findText(ctx.req, 'baseUrl') || '';
}

/**
 * Returns the part of the path that hosts have removed from the request. A part that a proxy has removed leaves no
 * trace.
 */
function pathAbove(ctx: Context): string {
  const whole = findText(ctx.req, 'originalUrl') ?? ctx.originalUrl;
  return whole.endsWith(ctx.url) ? whole.slice(0, -ctx.url.length) : '';
}

/** Returns a field that a host has added. Express and similar hosts add it to the request, koa-mount to the context. */
function findText(of: object, name: string): string | undefined {
  const value: unknown = Reflect.get(of, name);
  return typeof value === 'string' ? value : undefined;
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
