/**
 * The program of one node: the fixture's provider over Redis, behind a proxy, in a separate process. {@link Nodes}
 * starts it.
 */
// Must be the first import, because later modules may store a reference to the clock.
import './clock-ahead.ts';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import type { Provider } from 'oidc-provider';
import { setStorePatience } from '../../src/stores/deadline.ts';
import { People } from '../fixtures/people.ts';
import { makeProvider } from '../fixtures/provider.ts';
import { assessByAddress } from './assess-by-address.ts';
import {
  EVENT_PREFIX,
  NODE_OPTIONS_VARIABLE,
  type NodeEvent,
  type NodeOptions,
  READY,
  type RedisAddress,
} from './node-options.ts';
import { LOOPBACK } from './server.ts';

const EVENTS = [
  'shown',
  'scanned',
  'approved',
  'denied',
  'reported',
  'cancelled',
  'expired',
  'finished',
  'failed',
] as const;

/** The time that open requests get to end after SIGTERM. Then the connections to Redis get the same time. */
const PATIENCE_MS = 3_000;

const {
  qrLogin: { assess = 'by address', ...qrLogin },
  ...options
}: NodeOptions = JSON.parse(process.env[NODE_OPTIONS_VARIABLE] ?? '{}');

setStorePatience(Number(process.env.STORE_PATIENCE));
const store = new Keyv({ store: keyvRedis(options.redis) });
store.on('error', (error: Error) => complain(`Redis: ${error.message}`));

const { provider, qr, app } = await makeProvider({
  ...options,
  qrLogin: { ...qrLogin, assess: assess === 'by address' ? assessByAddress : () => assess },
  store,
  people: new People(options.people),
  proxy: true,
});
provider.on('server_error', (ctx, error) => complain(`${ctx.method} ${ctx.path}: ${error.stack}`));
app.on('error', (error: Error) => complain(`${error.stack}`));
for (const event of EVENTS) printEvents(provider, `qr_login.${event}`);

const server = createServer(app.callback()).listen(options.port, LOOPBACK);
await once(server, 'listening');

process.once('SIGTERM', async () => {
  const closed = once(server, 'close');
  // Close the streams before the server: Node treats the connections of event streams as idle, and server.close() ends
  // idle connections.
  const farewell = qr.close();
  server.close();
  await farewell;
  const impatient = globalThis.setTimeout(() => {
    complain('requests did not end');
    server.closeAllConnections();
  }, PATIENCE_MS);
  await closed;
  clearTimeout(impatient);
  // A Redis that does not answer would block disconnect() forever.
  await Promise.race([store.disconnect(), setTimeout(PATIENCE_MS)]);
  process.exit(0);
});
say(READY);

function keyvRedis(address: RedisAddress): KeyvRedis<unknown> {
  return new KeyvRedis('url' in address ? address.url : address);
}

/** Prints the plugin's events on standard output, for the process that started this one. */
function printEvents(emitter: Provider, event: string): void {
  const listener = (...values: unknown[]): void => {
    const [payload] = values.slice(-1);
    if (typeof payload !== 'object' || payload === null) return;
    const message: NodeEvent = { ...payload, event };
    say(EVENT_PREFIX + JSON.stringify(message));
  };
  emitter.on(event as never, listener as never);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
