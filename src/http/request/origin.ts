import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Guard } from './guard.ts';
import type { PluginRequest } from './plugin-request.ts';
import type { Urls } from './urls.ts';

/**
 * Makes the guard that refuses requests from another site's page (OWASP ASVS 5.0, V3.5). A client that is not a browser
 * sends neither `Origin` nor `Sec-Fetch-Site`, and passes.
 */
export function makeSameOriginGuard(urls: Urls): Guard {
  return ({ ctx }) => {
    const origin = ctx.get('origin');
    const site = ctx.get('sec-fetch-site');
    // A proxy that sets `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with our own forms.
    const isHidden = origin === 'null' && site === 'same-origin';
    const isOther = origin !== '' && origin !== urls.origin && !isHidden;
    if (isOther || (site !== '' && site !== 'same-origin')) {
      throw new QrLoginError('foreign_origin', 'This request was sent by another site. Open the page again.');
    }
  };
}

/**
 * Returns true if another site's page made the browser send this request (Fetch Metadata). A camera app or a user opens
 * an address directly.
 */
export function isForeign(ctx: Context): boolean {
  return ['cross-site', 'same-site'].includes(ctx.get('sec-fetch-site'));
}

/**
 * Returns true if a user has opened this address, by a camera, a link of ours or the address bar. By Fetch Metadata it
 * is a navigation that no other site has caused. A prefetch, a prerendered page, a link preview and a script are no
 * such navigation.
 */
export function isOpenedByUser(ctx: Context): boolean {
  const isPrefetch = ctx.get('sec-purpose') !== '' || ctx.get('purpose') !== '';
  const isWholePage = ctx.get('sec-fetch-mode') === 'navigate' && ctx.get('sec-fetch-dest') === 'document';
  return (
    ctx.method === 'GET' && isWholePage && !isPrefetch && ['none', 'same-origin'].includes(ctx.get('sec-fetch-site'))
  );
}

/** Refuses requests by which another site's page embeds or fetches ours. Links to our pages are allowed. */
export function assertNotEmbedded({ ctx }: Pick<PluginRequest, 'ctx'>): void {
  if (isForeign(ctx) && !isNavigation(ctx)) {
    throw new QrLoginError('foreign_origin', 'This page cannot be a part of another one. Open it by itself.');
  }
}

/** Accepts a missing `Sec-Fetch-Dest`: the first browsers with Fetch Metadata did not send it. */
function isNavigation(ctx: Context): boolean {
  const destination = ctx.get('sec-fetch-dest');
  if (destination !== '') return destination === 'document';
  return ['', 'navigate'].includes(ctx.get('sec-fetch-mode'));
}
