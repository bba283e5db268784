/** Starts servers for tests at free ports. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type Koa from 'koa';

export interface RunningServer {
  readonly server: Server;
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

/** Lets this server listen at a free port. @returns its origin */
export async function listen(server: NetServer, scheme: string = 'http'): Promise<string> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

/**
 * Starts a server. Its app is made when the port is known, because an issuer contains the port.
 * @throws the error of `make`, after the server is closed
 */
export async function serve<T extends { app: Koa }>(
  make: (origin: string) => T | Promise<T>,
): Promise<RunningServer & T> {
  const server = createServer();
  const origin = await listen(server);
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

/** Closes a server and all its connections. A server that does not listen stays as it is. */
async function closeServer(server: Server): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  server.close();
  server.closeAllConnections();
  await closed;
}

/** The loopback address, for servers that need no host name. */
export const LOOPBACK = '127.0.0.1';

/**
 * Ports below the range that the system gives to outgoing connections. Otherwise an outgoing connection could take the
 * port before the server listens.
 */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** Returns a free port. An issuer contains its port, so the port must be known before the provider starts. */
export async function freePort(host: string = 'localhost'): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = createServer();
    const listens = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, host);
    if (!(await listens)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
