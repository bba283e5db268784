/** Requests as `fetch` would not send them, and the people of the attacks that need them. */
import { request } from 'node:http';
import type { Context, Next } from 'koa';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';

export interface Raw {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Sends exactly this target and these headers. */
export function raw(
  site: Site,
  target: string,
  headers: Record<string, string>,
  { method = 'GET', body = '' }: { method?: string; body?: string } = {},
): Promise<Raw> {
  const { hostname, port } = new URL(site.issuer);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path: target, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A browser that says with each request that it is there. */
export function from(site: Site, address: string): BrowserVisitor {
  return new BrowserVisitor(site, fetch, { 'x-forwarded-for': address });
}

/** A server that believes the first entry, which is the client's own. */
export const believingTheFirst: WorldOptions = inFront(async (ctx: Context, next: Next) => {
  const [first = ''] = ctx.get('x-forwarded-for').split(',');
  if (first !== '') ctx.req.headers['x-forwarded-for'] = first.trim();
  await next();
});

/** A server that tells addresses apart by how they are written, to the last digit. */
export const countingSpellings: WorldOptions = inFront(async (ctx: Context, next: Next) => {
  const said = ctx.get('x-forwarded-for');
  const number = [...said].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 2 ** 24, 7);
  if (said !== '') ctx.req.headers['x-forwarded-for'] = `9.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  await next();
});
