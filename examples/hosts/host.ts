/** What every host does alike: the example provider from its environment, one line once it listens, a clean end. */
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { pathToFileURL } from 'node:url';
import type { Provider } from 'oidc-provider';
import type { QrLogin } from '../../src/index.ts';
import { Accounts } from '../accounts.ts';
import { closeServers, endAtSignal } from '../graceful.ts';
import type { ExampleOptions } from '../provider.ts';
import { makeRp, rpClient } from '../rp.ts';
import { loadSecrets } from '../secrets.ts';

export interface HostOptions extends ExampleOptions {
  /** Where the host listens, on this machine only; 0 for any free port. */
  readonly port: number;
}

export interface Host {
  readonly server: Server;
  readonly provider: Provider;
  readonly qr: QrLogin;
  readonly stop: () => Promise<void>;
}

export type StartHost = (options: HostOptions) => Promise<Host>;

/** Where the provider must be mounted: everything that it sends people to lies below its issuer. */
export function mountPath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '') || '/';
}

export async function listen(server: Server, port: number): Promise<Server> {
  server.listen(port, 'localhost');
  await once(server, 'listening');
  return server;
}

/** Everything is in memory here: there is no store to part from. */
export function stop(server: Server, qr: QrLogin): Promise<void> {
  return closeServers([server], qr);
}

/** Runs a host with the demo RP, where its file is the program that Node was started with. */
export function runAsProgram(file: string, start: StartHost): Promise<void> {
  return asProgram(file, async () => {
    const { options, rp } = await fromEnvironment('http', 3000);
    const host = await start(options);
    const rpServer = await listen(createServer(makeRp({ issuer: options.issuer, ...rp }).callback()), rp.port);
    announce(`${options.issuer} is beside ${new URL('/hello', options.issuer)}; sign in at ${rp.url}`);
    return async () => {
      rpServer.close();
      await host.stop();
    };
  });
}

/** @param run starts everything, and says how it is stopped */
export async function asProgram(file: string, run: () => Promise<() => Promise<void>>): Promise<void> {
  const [, program] = process.argv;
  if (program === undefined || file !== pathToFileURL(realpathSync(program)).href) return;
  try {
    endAtSignal(await run());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

/** `PORT`, `ISSUER` (its path is where the provider is mounted) and `RP_PORT` say what is where. */
export async function fromEnvironment(
  scheme: string,
  usualPort: number,
): Promise<{ options: HostOptions; rp: { url: string; port: number; secret: string } }> {
  const port = Number(process.env.PORT ?? usualPort);
  const issuer = process.env.ISSUER ?? `${scheme}://localhost:${port}/oidc`;
  const rpPort = Number(process.env.RP_PORT ?? 3001);
  const secrets = loadSecrets();
  const rp = { url: `http://localhost:${rpPort}`, port: rpPort, secret: secrets.rpSecret };
  return {
    options: {
      issuer,
      port,
      secrets,
      accounts: await Accounts.demo(),
      clients: [rpClient(rp)],
      // A host speaks plain HTTP: an https issuer is reached through a proxy.
      proxy: issuer.startsWith('https:'),
    },
    rp,
  };
}

export function announce(line: string): void {
  process.stdout.write(`${line}\n`);
}
