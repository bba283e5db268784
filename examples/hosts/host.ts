/**
 * Does what all hosts have in common: reads options from the environment, prints a line when the host listens, and ends
 * gracefully.
 */
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { pathToFileURL } from 'node:url';
import type { Provider } from 'oidc-provider';
import type { QrLogin } from '../../src/index.ts';
import { Accounts } from '../accounts.ts';
import { closeServers, endAtSignal } from '../graceful.ts';
import { issuerFrom } from '../issuer.ts';
import { portFrom } from '../ports.ts';
import type { ExampleOptions } from '../provider.ts';
import { makeRp, rpClient } from '../rp.ts';
import { loadSecrets } from '../secrets.ts';

export interface HostOptions extends ExampleOptions {
  /** The port on localhost; 0 for any free one. */
  readonly port: number;
}

export interface Host {
  readonly server: Server;
  readonly provider: Provider;
  readonly qr: QrLogin;
  readonly stop: () => Promise<void>;
}

export type StartHost = (options: HostOptions) => Promise<Host>;

/** Returns the path to mount the provider at: the path of its issuer, because all its URLs start with the issuer. */
export function mountPath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '') || '/';
}

export async function listen(server: Server, port: number): Promise<Server> {
  server.listen(port, 'localhost');
  await once(server, 'listening');
  return server;
}

/** Stops a host. Its store is in memory, so there is nothing to disconnect from. */
export function stop(server: Server, qr: QrLogin): Promise<void> {
  return closeServers([server], qr);
}

/** Runs a host with the demo RP, if Node was started with the host's file. */
export function runHostAsProgram(file: string, start: StartHost): Promise<void> {
  return runAsProgram(file, async () => {
    const { options, rp } = await readEnvironment('http', 3000);
    const host = await start(options);
    const rpServer = await listen(createServer(makeRp({ issuer: options.issuer, ...rp }).callback()), rp.port);
    announce(`${options.issuer} is beside ${new URL('/hello', options.issuer)}; sign in at ${rp.url}`);
    return async () => {
      rpServer.close();
      await host.stop();
    };
  });
}

/**
 * Runs a program, if Node was started with this file.
 * @param run starts the program, and returns a function that stops it
 */
export async function runAsProgram(file: string, run: () => Promise<() => Promise<void>>): Promise<void> {
  const [, program] = process.argv;
  if (program === undefined || file !== pathToFileURL(realpathSync(program)).href) return;
  try {
    endAtSignal(await run());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

/** Reads `PORT`, `RP_PORT` and `ISSUER`, whose path is the mount path of the provider. */
export async function readEnvironment(
  scheme: string,
  defaultPort: number,
): Promise<{ options: HostOptions; rp: { url: string; port: number; secret: string } }> {
  const port = portFrom('PORT', defaultPort);
  const issuer = issuerFrom('ISSUER', `${scheme}://localhost:${port}/oidc`);
  const rpPort = portFrom('RP_PORT', 3001);
  const secrets = loadSecrets();
  const rp = { url: `http://localhost:${rpPort}`, port: rpPort, secret: secrets.rpSecret };
  return {
    options: {
      issuer,
      port,
      secrets,
      accounts: await Accounts.demo(),
      clients: [rpClient(rp)],
      // The hosts serve plain HTTP, so requests for an https issuer come through a proxy.
      proxy: issuer.startsWith('https:'),
    },
    rp,
  };
}

export function announce(line: string): void {
  process.stdout.write(`${line}\n`);
}
