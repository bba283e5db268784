/** Checks that a request was sent by a page of this provider (OWASP ASVS 5.0, V3.5). */
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';

/**
 * Refuses requests that another site's page has sent. A client that is not a browser sends neither `Sec-Fetch-Site` nor
 * `Origin`, and passes.
 */
export function requireOwnPage(provider: Provider): Middleware {
  const { origin: own } = new URL(provider.issuer);
  return (ctx, next) => {
    if (ctx.method === 'GET' || ctx.method === 'HEAD') return next();
    const site = ctx.get('sec-fetch-site');
    const origin = ctx.get('origin');
    const isOwnSite = site === '' || site === 'same-origin';
    // A proxy that sends `Referrer-Policy: no-referrer` makes the browser hide the origin even from this site.
    const isOwnOrigin = origin === '' || origin === own || (origin === 'null' && site === 'same-origin');
    if (!isOwnSite || !isOwnOrigin) ctx.throw(403, 'this request was sent by another site');
    return next();
  };
}
