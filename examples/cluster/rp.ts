/** Runs the demo RP as a program of its own. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { endAtSignal } from '../graceful.ts';
import { makeRp } from '../rp.ts';
import { readEnvironment } from './environment.ts';

const { port, host, issuer, rpUrl, secrets } = readEnvironment();

const server = createServer(makeRp({ issuer, url: rpUrl, secret: secrets.rpSecret }).callback());
server.listen(port, host);
await once(server, 'listening');
process.stdout.write(`listens on ${host}:${port}\n`);

endAtSignal(async () => {
  server.close();
  server.closeAllConnections();
});
