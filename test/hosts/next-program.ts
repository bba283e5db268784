/**
 * Runs the provider in a Next.js app, beside the demo RP. This is a separate program, because Next replaces globals of
 * its process. `NEXT_APP` is the folder with the app and its build.
 */
import type { Server } from 'node:http';
import type { Provider } from 'oidc-provider';
import { type Host, type HostOptions, mountPath, runHostAsProgram } from '../../examples/hosts/host.ts';
import { makeExample } from '../../examples/provider.ts';
import type { QrLogin } from '../../src/index.ts';
import { importFrom } from './install.ts';

type StartNext = (
  provider: Provider,
  qr: QrLogin,
  options: { path: string; port: number },
) => Promise<{ server: Server; stop: () => Promise<void> }>;

async function start(options: HostOptions): Promise<Host> {
  const { startNext } = (await importFrom(`${process.env.NEXT_APP}`, './server.js')) as { startNext: StartNext };
  const { provider, qr } = makeExample(options);
  const running = await startNext(provider, qr, { path: mountPath(options.issuer), port: options.port });
  return { ...running, provider, qr };
}

await runHostAsProgram(import.meta.url, start);
