/** The provider in a Fastify 5 app: `node --import ts-blank-space/register examples/hosts/fastify.ts` */
import middie from '@fastify/middie';
import Fastify from 'fastify';
import { makeExample } from '../provider.ts';
import { type Host, type HostOptions, mountPath, runAsProgram } from './host.ts';

export async function start(options: HostOptions): Promise<Host> {
  const { provider, qr } = makeExample(options);
  const app = Fastify();

  app.get('/hello', async () => 'Hello from Fastify');

  // A scope of its own: the provider gets what lies below its path, and no other route.
  await app.register(
    async (scope) => {
      // Middleware runs before Fastify looks at the body, so that the provider can read it.
      await scope.register(middie);
      scope.use('/', provider.callback());
      // Hooks run for routes only. This one is never called: the provider has answered by then.
      scope.all('/*', (_request, reply) => reply.callNotFound());
    },
    { prefix: mountPath(options.issuer) },
  );

  // Fastify closes what is idle by itself, but event streams never are.
  app.addHook('preClose', async () => qr.close());

  await app.listen({ port: options.port, host: 'localhost' });
  return { server: app.server, provider, qr, stop: () => app.close() };
}

await runAsProgram(import.meta.url, start);
