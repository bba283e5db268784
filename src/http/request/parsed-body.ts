import type { Context } from 'koa';

/** The Koa apps for which the warning was emitted. */
const warned = new WeakSet<object>();

/**
 * Returns the body if a parser of the host has read it already: a text, a Buffer, or what the parser has made of it, as
 * oidc-provider also accepts. Returns undefined if the body can still be read.
 */
export function findParsedBody({ app, req, request }: Context): unknown {
  if (req.readable) return undefined;
  // Express and Fastify set `body` on Node's request, and the parsers of Koa set it on Koa's.
  const body: unknown = Reflect.get(req, 'body') ?? Reflect.get(request, 'body');
  if (body !== undefined && !warned.has(app)) {
    warned.add(app);
    process.emitWarning(
      'a body parser of your app has read the body of a request before the plugin, which now relies on what the parser has made of it; mount the provider before the parser: app.use(provider.callback()) first, then app.use(express.json())',
      { type: 'QrLoginWarning', code: 'QR_LOGIN_BODY' },
    );
  }
  return body;
}
