/** Runs the provider in an Express 5 app: `node --import ts-blank-space/register examples/hosts/express.ts` */
import { createServer } from 'node:http';
import express from 'express';
import { makeExample } from '../provider.ts';
import { type Host, type HostOptions, listen, mountPath, runHostAsProgram, stop } from './host.ts';

export async function start(options: HostOptions): Promise<Host> {
  const { provider, qr } = makeExample(options);
  const app = express();

  app.get('/hello', (_request, response) => {
    response.send('Hello from Express');
  });

  // The provider comes after the host's own routes, because it answers every request that reaches it. It comes before
  // express.json() and other body parsers, because it reads the body itself.
  app.use(mountPath(options.issuer), provider.callback());

  const server = await listen(createServer(app), options.port);
  return { server, provider, qr, stop: () => stop(server, qr) };
}

await runHostAsProgram(import.meta.url, start);
