import parseBody from 'co-body';
import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import { findParsedBody } from './parsed-body.ts';

/** The largest body in bytes. The forms of the pages are much smaller. */
const BODY_LIMIT_BYTES = 4096;

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const TYPES: readonly string[] = [FORM, JSON_TYPE];

/** The fields of a POST, from a form or from JSON. */
export type Fields = Readonly<Record<string, string>>;

/**
 * Returns the text fields of a form or of a JSON object; none if there is no body.
 * @throws QrLoginError `invalid_request`, `too_large` (more than 4 KB), `unsupported_media_type`
 */
export async function readFields(ctx: Context): Promise<Fields> {
  return hasBody(ctx) ? flat(await parse(ctx)) : {};
}

async function parse(ctx: Context): Promise<unknown> {
  const options = { limit: BODY_LIMIT_BYTES };
  // Media types are compared without regard to case (RFC 9110, section 8.3.1).
  const type = ctx.request.type.toLowerCase();
  const parsed = TYPES.includes(type) ? findParsedBody(ctx) : undefined;
  if (parsed !== undefined) return readParsed(parsed, type);
  try {
    if (type === FORM) {
      return await parseBody.form(ctx, { ...options, queryString: { depth: 0, allowDots: false, parameterLimit: 20 } });
    }
    if (type === JSON_TYPE) return await parseBody.json(ctx, options);
  } catch (error) {
    throw bodyError(error);
  }
  throw new QrLoginError('unsupported_media_type', 'Send a form or JSON.');
}

/** Reads what a parser of the host has left. The host may allow larger bodies than the plugin. */
function readParsed(body: unknown, type: string): unknown {
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  const text = isText ? body.toString() : JSON.stringify(body);
  if (Buffer.byteLength(text) > BODY_LIMIT_BYTES) throw tooLarge();
  if (!isText) return body;
  if (type === FORM) return fieldsOfForm(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bodyError(error);
  }
}

/** Returns the fields. One that is there twice becomes a list, which is refused. */
function fieldsOfForm(text: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(text);
  const named = [...new Set(fields.keys())].map((name) => ({ name, values: fields.getAll(name) }));
  return Object.fromEntries(
    named.map(({ name, values: [first = '', ...more] }) => [name, more.length > 0 ? [first, ...more] : first]),
  );
}

function tooLarge(): QrLoginError {
  return new QrLoginError('too_large', 'That is more than this form can hold.');
}

/** Omits the cause, because it contains the body. */
function bodyError(error: unknown): QrLoginError {
  const status = error instanceof Error && 'status' in error ? error.status : 400;
  if (status === 413) return tooLarge();
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

/**
 * Returns true if the request has a body (RFC 9112, section 6). HTTP/2 needs neither length header, so a content type
 * counts as well.
 */
function hasBody(ctx: Context): boolean {
  return (
    ctx.get('transfer-encoding') !== '' || Number(ctx.get('content-length') || 0) > 0 || ctx.get('content-type') !== ''
  );
}
