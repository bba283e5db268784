import parseBody from 'co-body';
import type { Context } from 'koa';
import { QrLoginError } from '../ticket/errors.ts';
import type { Urls } from './urls.ts';

/** More than any form here can need. */
const BODY_LIMIT = 4096;

/** What was sent with a POST: flat text fields, from a form or from JSON. */
export type Fields = Readonly<Record<string, string>>;

/** What must hold before a request is handled. @throws QrLoginError where it does not */
export type Guard = (ctx: Context) => void | Promise<void>;

/** Headers of every answer: nothing is framed, stored, sniffed, or told to other sites (OWASP ASVS 5.0, V3.4). */
export function protectAnswer({ res }: Context): void {
  if (res.headersSent) return;
  for (const [name, value] of PROTECTION) res.setHeader(name, value);
}

/** The same for a URL that may turn out not to be ours: what its answer had before is kept. */
export function protect(ctx: Context): void {
  ctx.state.unprotected = ctx.res.getHeaders();
  protectAnswer(ctx);
}

/** Leaves a page that is not ours with the headers that it would have without us. */
export function unprotect({ res, state }: Context): void {
  if (res.headersSent) return;
  for (const [name] of PROTECTION) {
    const before = state.unprotected[name.toLowerCase()];
    if (before === undefined) res.removeHeader(name);
    else res.setHeader(name, before);
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

const PROTECTION: readonly (readonly [string, string])[] = Object.entries({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  // The one page that has a camera allows it to itself.
  'Permissions-Policy': 'camera=()',
  // Not `no-referrer`: with that, browsers send `Origin: null` with a form, and there would be nothing to check.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
});

/** Refuses what another site's page sends (OWASP ASVS 5.0, V3.5). A client that is no browser sends neither header. */
export function sameOrigin(urls: Urls): Guard {
  return (ctx) => {
    const origin = ctx.get('origin');
    const site = ctx.get('sec-fetch-site');
    if ((origin !== '' && origin !== urls.origin) || (site !== '' && site !== 'same-origin')) {
      throw new QrLoginError('foreign_origin', 'This request was sent by another site. Open the page again.');
    }
  };
}

/** Whether another site's page has made the browser send this (Fetch Metadata); a camera, or a person, opens an address by itself. */
export function isForeign(ctx: Context): boolean {
  return ['cross-site', 'same-site'].includes(ctx.get('sec-fetch-site'));
}

/** Refuses what another site's page loads into itself: it may lead a person here, and no more. */
export function notEmbedded(ctx: Context): void {
  if (isForeign(ctx) && !isNavigation(ctx)) {
    throw new QrLoginError('foreign_origin', 'This page cannot be a part of another one. Open it by itself.');
  }
}

/** The first browsers with these headers did not say what for. */
function isNavigation(ctx: Context): boolean {
  const destination = ctx.get('sec-fetch-dest');
  if (destination !== '') return destination === 'document';
  return ['', 'navigate'].includes(ctx.get('sec-fetch-mode'));
}

/** Reads a form or a JSON object of text fields into `ctx.state.fields`; nothing else is taken. */
export async function readFields(ctx: Context): Promise<void> {
  ctx.state.fields = hasBody(ctx) ? flat(await parse(ctx)) : {};
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
