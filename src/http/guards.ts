import parseBody from 'co-body';
import type { Context, Middleware, Next } from 'koa';
import { QrLoginError } from '../ticket/errors.ts';
import type { Urls } from './urls.ts';

/** More than any form here can need. */
const BODY_LIMIT = 4096;

/** What was sent with a POST: flat text fields, from a form or from JSON. */
export type Fields = Readonly<Record<string, string>>;

/** Headers of every answer: nothing is framed, stored, sniffed, or told to other sites (OWASP ASVS 5.0, V3.4). */
export async function protect(ctx: Context, next: Next): Promise<void> {
  ctx.state.unprotected = Object.keys(PROTECTION).map((header) => [header, ctx.response.get(header)]);
  protectAnswer(ctx);
  await next();
}

export function protectAnswer(ctx: Context): void {
  ctx.set(PROTECTION);
}

/** Leaves a page that is not ours with the headers that it would have without us. */
export function unprotect(ctx: Context): void {
  for (const [header, before] of ctx.state.unprotected) {
    if (before === undefined || before === '') ctx.remove(header);
    else ctx.set(header, before);
  }
}

/** There is no `form-action`: browsers apply it to a form's redirects, too, and those end at the RP. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PROTECTION = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  // The one page that has a camera allows it to itself.
  'Permissions-Policy': 'camera=()',
  // Not `no-referrer`: with that, browsers send `Origin: null` with a form, and there would be nothing to check.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Refuses what another site's page sends (OWASP ASVS 5.0, V3.5). A client that is no browser sends neither header. */
export function sameOrigin(urls: Urls): Middleware {
  return async (ctx, next) => {
    const origin = ctx.get('origin');
    const site = ctx.get('sec-fetch-site');
    if ((origin !== '' && origin !== urls.origin) || (site !== '' && site !== 'same-origin')) {
      throw new QrLoginError('foreign_origin', 'This request was sent by another site. Open the page again.');
    }
    await next();
  };
}

/** Whether another site's page has made the browser send this (Fetch Metadata); a camera, or a person, opens an address by itself. */
export function isForeign(ctx: Context): boolean {
  return ['cross-site', 'same-site'].includes(ctx.get('sec-fetch-site'));
}

/** Refuses what another site's page loads into itself: it may lead a person here, and no more. */
export async function notEmbedded(ctx: Context, next: Next): Promise<void> {
  if (isForeign(ctx) && !isNavigation(ctx)) {
    throw new QrLoginError('foreign_origin', 'This page cannot be a part of another one. Open it by itself.');
  }
  await next();
}

/** The first browsers with these headers did not say what for. */
function isNavigation(ctx: Context): boolean {
  const destination = ctx.get('sec-fetch-dest');
  if (destination !== '') return destination === 'document';
  return ['', 'navigate'].includes(ctx.get('sec-fetch-mode'));
}

/** Reads a form or a JSON object of text fields into `ctx.state.fields`; nothing else is taken. */
export async function readFields(ctx: Context, next: Next): Promise<void> {
  ctx.state.fields = hasBody(ctx) ? flat(await parse(ctx)) : {};
  await next();
}

export function fieldsOf(ctx: Context): Fields {
  return ctx.state.fields as Fields;
}

async function parse(ctx: Context): Promise<unknown> {
  const options = { limit: BODY_LIMIT };
  try {
    if (ctx.request.type === 'application/x-www-form-urlencoded') {
      return await parseBody.form(ctx, { ...options, queryString: { depth: 0, allowDots: false, parameterLimit: 20 } });
    }
    if (ctx.request.type === 'application/json') return await parseBody.json(ctx, options);
  } catch (error) {
    throw bodyError(error);
  }
  throw new QrLoginError('unsupported_media_type', 'Send a form or JSON.');
}

/** Without its cause, which holds what was sent. */
function bodyError(error: unknown): QrLoginError {
  const status = error instanceof Error && 'status' in error ? error.status : 400;
  if (status === 413) return new QrLoginError('too_large', 'That is more than this form can hold.');
  if (status === 415) return new QrLoginError('unsupported_media_type', 'Send a form or JSON.');
  return new QrLoginError('invalid_request', 'The body cannot be read.');
}

function flat(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new QrLoginError('invalid_request', 'Send an object of text fields.');
  }
  const fields: [string, string][] = Object.entries(body).map(([name, value]) => {
    if (typeof value !== 'string') throw new QrLoginError('invalid_request', 'Send an object of text fields.');
    return [name, value];
  });
  return Object.fromEntries(fields);
}

/** RFC 9112, section 6; HTTP/2 has neither header, so there the type of a body tells that there is one. */
function hasBody(ctx: Context): boolean {
  return (
    ctx.get('transfer-encoding') !== '' || Number(ctx.get('content-length') || 0) > 0 || ctx.get('content-type') !== ''
  );
}
