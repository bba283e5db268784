/** Lets tests, and servers without one defence, read the fields of a request, which our handlers store nowhere. */
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';

const bodies = new WeakMap<IncomingMessage, Buffer[]>();

/** Records the body of each request while the handler reads it. Must come before everything else. */
export const recordFields: Middleware = (ctx, next) => {
  const { req } = ctx;
  const chunks: Buffer[] = [];
  bodies.set(req, chunks);
  const push = req.push.bind(req);
  req.push = (chunk, encoding) => {
    if (chunk !== null) chunks.push(Buffer.from(chunk));
    return push(chunk, encoding);
  };
  return next();
};

/** Returns the fields that have arrived by now, from a form or from JSON. */
export function fieldsIn({ req, request }: Context): Readonly<Record<string, unknown>> {
  const body = Buffer.concat(bodies.get(req) ?? []).toString();
  if (body === '') return {};
  return request.type === 'application/json' ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
}

/** Turns a request without a body into one that sends these fields as JSON. */
export function sendFields(ctx: Context, fields: object): void {
  const body = Buffer.from(JSON.stringify(fields));
  ctx.req.headers['content-type'] = 'application/json';
  ctx.req.headers['content-length'] = `${body.length}`;
  ctx.req.unshift(body);
}
