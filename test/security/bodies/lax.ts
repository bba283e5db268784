/** A weak server that finds the fields in a body of any type, which row 25 of the table in docs/security.md forbids. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { Context, Next } from 'koa';
import type { WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';

const FIELDS = ['csrf', 'decision'] as const;
const DECODERS: Readonly<Record<string, (packed: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/** Without this, Koa would log each request that breaks off. */
export const quiet: WorldOptions = {
  extend: ({ provider }) => {
    provider.silent = true;
  },
};

/** Replaces each body by a valid form with the fields that were found in it. */
export const readingAnything: WorldOptions = inFront(async (ctx: Context, next: Next) => {
  if (ctx.method === 'POST' && ctx.path.startsWith('/qr/tickets/')) {
    const fields = fieldsIn(await everything(ctx.req));
    ctx.req = asForm(ctx.req, new URLSearchParams(fields).toString());
    ctx.request.req = ctx.req;
    ctx.req.headers['content-type'] = 'application/x-www-form-urlencoded';
  }
  await next();
});

/** Reads the whole body, or the beginning of a body that breaks off. */
async function everything(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    // Use what has arrived.
  }
  const decode = DECODERS[request.headers['content-encoding'] ?? ''];
  const whole = Buffer.concat(chunks);
  const plain = decode ? decode(whole) : whole;
  return plain.toString(`${request.headers['content-type']}`.includes('utf-16') ? 'utf16le' : 'latin1');
}

/** Finds the last word after the name of each field, at any depth. */
function fieldsIn(body: string): Record<string, string> {
  const found = FIELDS.map((name) => {
    const matches = [...body.matchAll(new RegExp(`${name}[^\\w-]*([\\w-]+)`, 'g'))];
    return [name, matches.at(-1)?.[1] ?? ''];
  });
  return Object.fromEntries(found);
}

function asForm(request: IncomingMessage, form: string): IncomingMessage {
  const body = Readable.from([form]);
  const { headers, rawHeaders, method, url, socket, httpVersion, httpVersionMajor } = request;
  delete headers['content-length'];
  delete headers['content-encoding'];
  headers['transfer-encoding'] = 'chunked';
  const read = Object.assign(body, { headers, rawHeaders, method, url, socket, httpVersion, httpVersionMajor });
  return read as unknown as IncomingMessage;
}
