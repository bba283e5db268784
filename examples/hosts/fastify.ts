/** Runs the provider in a Fastify 5 app: `node --import ts-blank-space/register examples/hosts/fastify.ts` */
import middie from '@fastify/middie';
import Fastify from 'fastify';
import { makeExample } from '../provider.ts';
import { type Host, type HostOptions, mountPath, runHostAsProgram } from './host.ts';

export async function start(options: HostOptions): Promise<Host> {
  const { provider, qr } = makeExample(options);
  const app = Fastify();

  app.get('/hello', async () => 'Hello from Fastify');

  // In a scope of its own, the provider gets the requests below its path, and no other requests.
  await app.register(
    async (scope) => {
      // Middleware runs before Fastify reads the body, so that the provider can read it.
      await scope.register(middie);
      scope.use('/', provider.callback());
      // Middleware runs only for requests that match a route. This handler is never called: the provider has answered.
      scope.all('/*', (_request, reply) => reply.callNotFound());
    },
    { prefix: mountPath(options.issuer) },
  );

  // Fastify closes idle connections by itself, but event streams are never idle.
  app.addHook('preClose', async () => qr.close());

  await app.listen({ port: options.port, host: 'localhost' });
  return { server: app.server, provider, qr, stop: () => app.close() };
}

await runHostAsProgram(import.meta.url, start);
