/** A clean end: nothing is cut off that may still finish, and nothing takes longer than its bound. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keyv } from 'keyv';
import type { QrLogin } from '../src/index.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Milliseconds for everything; for connections to end by themselves, and then for the last requests; for the store. */
const BOUND = 5_000;
const FAREWELL = 500;
const REQUESTS = 1_000;
const STORE = 500;

/** One Ctrl-C may arrive twice, from the terminal and from npm: what comes this soon is not a second one. */
const SAME_SIGNAL = 500;

/** @param end is run at the first signal; a second one ends the process at once, as does the bound */
export function endAtSignal(end: () => Promise<void>, bound: number = BOUND): void {
  let since: number | undefined;
  const onSignal = (): void => {
    if (since !== undefined) {
      if (Date.now() - since > SAME_SIGNAL) process.exit(1);
      return;
    }
    since = Date.now();
    setTimeout(() => process.exit(1), bound).unref();
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

/** Requests need the store to the last, so it goes after them. */
export async function closeAll(servers: readonly Server[], qr: QrLogin, store: Keyv): Promise<void> {
  await closeServers(servers, qr);
  await Promise.race([store.disconnect(), pause(STORE)]);
}

/** Event streams would keep a server from closing: the plugin ends them, and their browsers come back to another node. */
export async function closeServers(servers: readonly Server[], qr: QrLogin): Promise<void> {
  const closed = Promise.all(servers.map((server) => once(server, 'close')));
  for (const server of servers) refuse(server);
  await Promise.all([qr.close(), Promise.race([closed, pause(FAREWELL)])]);

  const idle = setInterval(() => {
    for (const server of servers) server.closeIdleConnections();
  }, 50);
  const impatient = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, REQUESTS);
  await closed;
  clearInterval(idle);
  clearTimeout(impatient);
}

/**
 * No new connections; those that are kept alive end with their next answer, which says so. `server.close()` would end them
 * now, and a proxy that sends a POST into one at this moment has no way to know whether it was heard.
 */
function refuse(server: Server): void {
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  NetServer.prototype.close.call(server);
}
