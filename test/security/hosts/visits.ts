/** Requests that `fetch` would not send, and servers that trust forwarded addresses wrongly. */
import { request } from 'node:http';
import type { Context, Next } from 'koa';
import { BrowserVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Sends exactly this target and these headers. */
export function sendRaw(
  site: Site,
  target: string,
  headers: Record<string, string>,
  { method = 'GET', body = '' }: { method?: string; body?: string } = {},
): Promise<RawAnswer> {
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

/** Returns a browser that sends this address as X-Forwarded-For with each request. */
export function browserFrom(site: Site, address: string): BrowserVisitor {
  return new BrowserVisitor(site, fetch, { 'x-forwarded-for': address });
}

/** A server that trusts the first entry of X-Forwarded-For, which the client itself may have sent. */
export const believingTheFirst: WorldOptions = inFront(async (ctx: Context, next: Next) => {
  const [first = ''] = ctx.get('x-forwarded-for').split(',');
  if (first !== '') ctx.req.headers['x-forwarded-for'] = first.trim();
  await next();
});

/** A server that treats each spelling of an address as another address. */
export const countingSpellings: WorldOptions = inFront(async (ctx: Context, next: Next) => {
  const forwarded = ctx.get('x-forwarded-for');
  const number = [...forwarded].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 2 ** 24, 7);
  if (forwarded !== '') ctx.req.headers['x-forwarded-for'] = `9.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
  await next();
});
