import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, unzip } from 'node:zlib';
import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import { findParsedBody } from './parsed-body.ts';

/** The largest body in bytes, also after decompression. The forms of the pages are much smaller. */
const BODY_LIMIT_BYTES = 4096;

/** The fields of a POST, from a form or from JSON. */
export type Fields = Readonly<Record<string, string>>;

/** A JSON object, with its members unchecked. */
export type JsonObject = Readonly<Record<string, unknown>>;

type Decode = (content: Buffer) => Promise<Buffer>;
const DECOMPRESSION_OPTIONS = { maxOutputLength: BODY_LIMIT_BYTES };
const unzipBounded = promisify<Buffer, typeof DECOMPRESSION_OPTIONS, Buffer>(unzip);
const unbrotliBounded = promisify<Buffer, typeof DECOMPRESSION_OPTIONS, Buffer>(brotliDecompress);

/** The supported content codings (RFC 9110, section 8.4.1). */
const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ['identity', async (content) => content],
  ['gzip', (content) => unzipBounded(content, DECOMPRESSION_OPTIONS)],
  ['deflate', (content) => unzipBounded(content, DECOMPRESSION_OPTIONS)],
  ['br', (content) => unbrotliBounded(content, DECOMPRESSION_OPTIONS)],
]);

type Parsers<Body> = ReadonlyMap<string, (text: string) => Body>;

/** The media types that pages send. */
const FIELD_PARSERS: Parsers<Fields> = new Map([
  ['application/x-www-form-urlencoded', parseForm],
  ['application/json', parseFields],
]);

/** The media type that apps send. */
const JSON_PARSERS: Parsers<JsonObject> = new Map([['application/json', parseJson]]);

/**
 * Returns the text fields of a form or of a JSON object; none if there is no body.
 * @throws QrLoginError `invalid_request`, `too_large` (more than 4 KB), `unsupported_media_type`
 */
export async function readFields(ctx: Context): Promise<Fields> {
  return hasBody(ctx) ? readBody(ctx, FIELD_PARSERS, { parsed: parseFields, refusal: notForm }) : {};
}

/**
 * Returns the JSON object that an app has sent.
 * @throws QrLoginError `invalid_request`, `too_large` (more than 4 KB), `unsupported_media_type` (also for no body)
 */
export function readJson(ctx: Context): Promise<JsonObject> {
  return readBody(ctx, JSON_PARSERS, { parsed: parseJson, refusal: notJson });
}

interface BodyForm<Body> {
  /** Reads a body that the host has already parsed, after it was turned into JSON again. */
  readonly parsed: (text: string) => Body;
  /** Returns the error for another media type. */
  readonly refusal: () => QrLoginError;
}

async function readBody<Body>(ctx: Context, parsers: Parsers<Body>, form: BodyForm<Body>): Promise<Body> {
  // Media types and content codings are compared without regard to case (RFC 9110, sections 8.3.1 and 8.4.1).
  const parse = parsers.get(ctx.request.type.toLowerCase());
  const parsed = parse && findParsedBody(ctx);
  const decode =
    parsed === undefined ? DECODERS.get(ctx.get('content-encoding').toLowerCase() || 'identity') : undefined;
  if (parse === undefined || (parsed === undefined && decode === undefined)) {
    throw form.refusal();
  }
  try {
    if (decode === undefined) return readParsed(parsed, parse, form.parsed);
    const content = await decode(await readContent(ctx.req));
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (error) {
    throw bodyError(error);
  }
}

/**
 * Returns the content as it was sent. Stops at the limit, but leaves the connection open for the answer.
 * @throws QrLoginError `too_large`; Error if the request breaks off
 */
async function readContent(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_LIMIT_BYTES) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** Reads a body that a parser of the host has read already. The host may allow larger bodies than the plugin. */
function readParsed<Body>(body: unknown, parse: (text: string) => Body, parseAgain: (text: string) => Body): Body {
  const isText = typeof body === 'string' || Buffer.isBuffer(body);
  const text = isText ? body.toString() : JSON.stringify(body);
  if (Buffer.byteLength(text) > BODY_LIMIT_BYTES) throw tooLarge();
  return isText ? parse(text) : parseAgain(text);
}

/** Returns the refusal for a body that could not be read. It has no `cause`: that error may contain the body. */
function bodyError(error: unknown): QrLoginError {
  if (error instanceof QrLoginError) return error;
  if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return tooLarge();
  return new QrLoginError('invalid_request', 'The body cannot be read.');
}

function tooLarge(): QrLoginError {
  return new QrLoginError('too_large', 'That is more than this form can hold.');
}

function notForm(): QrLoginError {
  return new QrLoginError('unsupported_media_type', 'Send a form or JSON.');
}

function notJson(): QrLoginError {
  return new QrLoginError('unsupported_media_type', 'Send JSON, with the type application/json.');
}

function notFields(): QrLoginError {
  return new QrLoginError('invalid_request', 'Send an object of text fields.');
}

/** Reads a form. A name that occurs twice is refused: another parser might take the other value. */
function parseForm(text: string): Fields {
  const fields = [...new URLSearchParams(text)];
  if (new Set(fields.map(([name]) => name)).size < fields.length) throw notFields();
  return Object.fromEntries(fields);
}

function parseJson(text: string): JsonObject {
  const body: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notFields();
  return Object.fromEntries(Object.entries(body));
}

function parseFields(text: string): Fields {
  const fields: [string, string][] = Object.entries(parseJson(text)).map(([name, value]) => {
    if (typeof value !== 'string') throw notFields();
    return [name, value];
  });
  return Object.fromEntries(fields);
}

/**
 * Returns true if the request has a body (RFC 9112, section 6). HTTP/2 needs neither `Transfer-Encoding` nor
 * `Content-Length`, so a content type counts as well.
 */
function hasBody(ctx: Context): boolean {
  return (
    ctx.get('transfer-encoding') !== '' || Number(ctx.get('content-length') || 0) > 0 || ctx.get('content-type') !== ''
  );
}
