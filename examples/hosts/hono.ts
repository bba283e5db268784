/** Runs the provider in a Hono app on Node: `node --import ts-blank-space/register examples/hosts/hono.ts` */
import { createServer } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { makeExample } from '../provider.ts';
import { type Host, type HostOptions, listen, mountPath, runHostAsProgram, stop } from './host.ts';

export async function start(options: HostOptions): Promise<Host> {
  const { provider, qr } = makeExample(options);
  const handle = provider.callback();
  const base = mountPath(options.issuer).replace(/\/$/, '');
  const app = new Hono<{ Bindings: HttpBindings }>();

  app.get('/hello', (c) => c.text('Hello from Hono'));

  // The provider comes after the host's own routes, because it answers every request that reaches it. It comes before
  // any middleware that reads the body, because it reads the body itself.
  app.all(`${base}/*`, async (c) => {
    const { incoming, outgoing } = c.env;
    const originalUrl = incoming.url ?? '/';
    // This is what Express does: `url` is the part below the mount path, and the provider derives the path from
    // `originalUrl`.
    Object.assign(incoming, { originalUrl, url: originalUrl.slice(base.length) });
    await handle(incoming, outgoing);
    return RESPONSE_ALREADY_SENT;
  });

  // Without this, Hono would replace the global Request and Response.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = await listen(createServer(listener), options.port);
  return { server, provider, qr, stop: () => stop(server, qr) };
}

await runHostAsProgram(import.meta.url, start);
