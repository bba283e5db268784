/** Shuts a server down gracefully: requests may finish, and each step has a time limit. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keyv } from 'keyv';
import type { QrLogin } from '../src/index.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The time limit for the whole shutdown. */
const SHUTDOWN_MS = 5_000;
/** The time for connections to end by themselves. */
const CONNECTIONS_MS = 500;
/** The time for the last requests after that. */
const REQUESTS_MS = 1_000;
/** The time to disconnect from the store. */
const STORE_MS = 500;

/** One Ctrl-C may arrive twice, from the terminal and from npm. A signal within this time counts as the same one. */
const SAME_SIGNAL_MS = 500;

/**
 * Ends the process at SIGINT or SIGTERM. A second signal ends it at once.
 * @param end runs at the first signal
 * @param limitMs the process ends after this time even if `end` has not finished
 */
export function endAtSignal(end: () => Promise<void>, limitMs: number = SHUTDOWN_MS): void {
  let firstSignalAt: number | undefined;
  const onSignal = (): void => {
    if (firstSignalAt !== undefined) {
      if (Date.now() - firstSignalAt > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    firstSignalAt = Date.now();
    setTimeout(() => process.exit(1), limitMs).unref();
    end().then(
      () => process.exit(0),
      (error) => {
        process.stderr.write(`${error}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

/** Closes the servers and then the store, because the last requests still need the store. */
export async function closeAll(servers: readonly Server[], qr: QrLogin, store: Keyv): Promise<void> {
  await closeServers(servers, qr);
  await Promise.race([store.disconnect(), pause(STORE_MS)]);
}

/**
 * Closes the servers. The plugin ends the event streams, which would keep a server open; their browsers reconnect to
 * another node.
 */
export async function closeServers(servers: readonly Server[], qr: QrLogin): Promise<void> {
  const closed = Promise.all(servers.map((server) => once(server, 'close')));
  for (const server of servers) refuse(server);
  await Promise.all([qr.close(), Promise.race([closed, pause(CONNECTIONS_MS)])]);

  const idle = setInterval(() => {
    for (const server of servers) server.closeIdleConnections();
  }, 50);
  const requestsTimer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, REQUESTS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(requestsTimer);
}

/**
 * Refuses new connections. A kept-alive connection ends with its next response, which says so. `server.close()` would
 * end it now, and a proxy that sends a POST on it at this moment could not know whether the server has received it.
 */
function refuse(server: Server): void {
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  // The servers of other runtimes are no servers of node:net.
  if (server instanceof NetServer) NetServer.prototype.close.call(server);
  else (server as Server).close();
}
