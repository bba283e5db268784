/** Runs the provider in a Koa app: `node --import ts-blank-space/register examples/hosts/koa.ts` */
import { createServer } from 'node:http';
import Koa from 'koa';
import mount from 'koa-mount';
import { makeExample } from '../provider.ts';
import { type Host, type HostOptions, listen, mountPath, runHostAsProgram, stop } from './host.ts';

export async function start(options: HostOptions): Promise<Host> {
  const { provider, qr } = makeExample(options);
  const app = new Koa();

  // Koa ignores the settings of a mounted app: the outer app signs the cookies and trusts the proxies.
  app.keys = provider.keys ?? [];
  app.proxy = provider.proxy;
  app.maxIpsCount = provider.maxIpsCount;

  app.use(async (ctx, next) => {
    if (ctx.path !== '/hello') return next();
    ctx.body = 'Hello from Koa';
  });

  // The provider comes after the host's own routes, because it answers every request that reaches it. It comes before
  // any body parser, because it reads the body itself.
  app.use(mount(mountPath(options.issuer), provider));

  const server = await listen(createServer(app.callback()), options.port);
  return { server, provider, qr, stop: () => stop(server, qr) };
}

await runHostAsProgram(import.meta.url, start);
