/** Row 8 of the table in docs/security.md: looking never changes anything, by GET, HEAD, prefetch or link preview. */

import type { Middleware } from 'koa';
import type { RequestOptions } from '../../support/agent.ts';
import type { Site } from '../../support/visitors.ts';
import { type Attack, inFront } from '../attack.ts';
import { sendFields } from '../request-fields.ts';
import { atTheCode, sendOwn, TARGETS } from './targets.ts';

/** Requests that are sent without an act of the user. */
const LOOKS: readonly RequestOptions[] = [
  { method: 'GET' },
  { method: 'HEAD' },
  { headers: { 'sec-purpose': 'prefetch', 'sec-fetch-site': 'none' } },
  { headers: { 'sec-purpose': 'prefetch;prerender' } },
  { headers: { purpose: 'prefetch', 'x-purpose': 'preview', 'x-moz': 'prefetch' } },
  { headers: { 'user-agent': 'WhatsApp/2.24 W' } },
  { headers: { accept: 'application/json', 'content-type': 'application/json' } },
  { headers: { 'x-http-method-override': 'POST', 'x-method-override': 'POST', 'x-http-method': 'POST' } },
];

/** A server that treats a link as a form, and its query as the fields. */
const linksAsForms: Middleware = async (ctx, next) => {
  const act = /\/(qr\/(renew|finish|passkey|devices|scan)|consent|cancel|qr\/[\w-]{46}|qr\/tickets\/[\w-]+)$/;
  if ((ctx.method === 'GET' || ctx.method === 'HEAD') && act.test(ctx.path) && ctx.querystring !== '') {
    ctx.method = 'POST';
    delete ctx.req.headers['sec-fetch-site'];
    sendFields(ctx, ctx.query);
  }
  await next();
};

/** A server that renews the ticket each time the page is loaded. */
const anewOnLoad: Middleware = async (ctx, next) => {
  if (ctx.method === 'GET' && /\/interaction\/[\w-]+$/.test(ctx.path)) {
    ctx.method = 'POST';
    ctx.path += '/qr/renew';
    delete ctx.req.headers['sec-fetch-site'];
  }
  await next();
};

export const looking: Attack[] = [
  ...TARGETS.filter(({ does }) => !does.startsWith('reports')).map(({ does, on, prepare: meet }) => ({
    row: 8,
    name: `opening a link that contains all fields of a form ${does}`,
    ...(on && { on }),
    without: { defence: 'a difference between links and forms', options: inFront(linksAsForms) },
    run: async (site: Site) => {
      const victim = await meet(site);
      const query = new URLSearchParams({ _method: 'POST', ...victim.fields });
      for (const look of LOOKS) {
        for (const url of [`${victim.url}?${query}`, victim.url]) {
          const got = await victim.findEffect(await victim.who.agent.send(url, look));
          if (got !== undefined) return got;
        }
      }
      await sendOwn(victim);
      return undefined;
    },
  })),
  {
    row: 8,
    name: 'loading the QR page, its ticket or its stream in advance invalidates the code on the screen',
    without: { defence: 'a page load that makes no new ticket', options: inFront(anewOnLoad) },
    run: async (site) => {
      const browser = await atTheCode(site);
      const { version } = await browser.ticket();
      for (const look of LOOKS) {
        await browser.agent.send(browser.at, look);
        await browser.agent.send(`${browser.at}/qr`, look);
        if (look.method === 'HEAD') await browser.agent.send(`${browser.at}/qr/events`, look);
        const seen = await browser.ticket();
        if (seen.version !== version) return `version ${seen.version} instead of ${version}`;
      }
      return undefined;
    },
  },
];
