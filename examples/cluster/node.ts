/** Runs one node of the cluster: the example provider, with all data that the nodes share in Redis. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Accounts } from '../accounts.ts';
import { closeAll, endAtSignal } from '../graceful.ts';
import { makeLogger } from '../log.ts';
import { portFrom } from '../ports.ts';
import { makeExample } from '../provider.ts';
import { rpClient } from '../rp.ts';
import { storeFrom } from '../store.ts';
import { readEnvironment } from './environment.ts';
import { serveMetrics } from './prometheus.ts';

const { port, host, issuer, rpUrl, secrets } = readEnvironment();
const metricsPort = portFrom('METRICS_PORT', 9464);

// Start this before the provider is made, because the plugin creates its instruments at that time, and they belong to
// the meter provider that is registered then.
const stopMetrics = await serveMetrics(metricsPort, host);

const store = storeFrom(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const { qr, app } = makeExample({
  issuer,
  secrets,
  accounts: await Accounts.demo(),
  clients: [rpClient({ url: rpUrl, secret: secrets.rpSecret })],
  store,
  // nginx sends the client's address, and only nginx can reach this port.
  proxy: true,
  passkeys: new URL(issuer).hostname === 'localhost',
  logger: makeLogger(),
});

const server = createServer(app.callback());
// This is longer than nginx keeps a connection, so that nginx never sends a request on one that this server closes.
server.keepAliveTimeout = 65_000;
server.listen(port, host);
await once(server, 'listening');
process.stdout.write(`listens on ${host}:${port}, metrics on ${host}:${metricsPort}\n`);

endAtSignal(async () => {
  await closeAll([server], qr, store);
  await stopMetrics();
});
