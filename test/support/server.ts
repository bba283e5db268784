/** Starts what a test needs on ports of its own, and stops it afterwards. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type Koa from 'koa';

export interface Running {
  readonly server: Server;
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

/** Waits until this server listens, at a port of its own. @returns where it is */
export async function listening(server: NetServer, scheme: string = 'http'): Promise<string> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

/**
 * The app is made once the port is known, as an issuer has to say where it is.
 * @throws whatever `make` throws, once the server is closed
 */
export async function serve<T extends { app: Koa }>(make: (origin: string) => T | Promise<T>): Promise<Running & T> {
  const server = createServer();
  const origin = await listening(server);
  const stop = (): Promise<void> => closeServer(server);
  try {
    const made = await make(origin);
    server.on('request', made.app.callback());
    return { ...made, server, origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends all connections. Does nothing to a server that does not listen. */
async function closeServer(server: Server): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  server.close();
  server.closeAllConnections();
  await closed;
}

/** This machine, for what is reached by nobody else and needs no name. */
export const LOOPBACK = '127.0.0.1';

/** Below those that connections are given: one of them might take it before it is listened on. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** A port that nobody listens on: an issuer has to say where it is before anything is started. */
export async function freePort(host: string = 'localhost'): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = createServer();
    const heard = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, host);
    if (!(await heard)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
