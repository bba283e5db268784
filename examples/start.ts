/** `npm start`: the example provider and the demo RP, in one process, everything in memory unless REDIS_URL is set. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import type Koa from 'koa';
import QRCode from 'qrcode';
import { Accounts } from './accounts.ts';
import { makeExample } from './provider.ts';
import { makeRp, rpClient } from './rp.ts';
import { loadSecrets } from './secrets.ts';

const SECRETS_FILE = fileURLToPath(new URL('../.data/secrets.json', import.meta.url));

const lan = process.argv.includes('--lan');
const port = portFrom('PORT', 3000);
const rpPort = portFrom('RP_PORT', 3001);
const host = lan ? lanAddress() : 'localhost';
const issuer = process.env.ISSUER ?? `http://${host}:${port}`;
const rpUrl = `http://${host}:${rpPort}`;

const secrets = loadSecrets(SECRETS_FILE);
const { provider, qr, app } = makeExample({
  issuer,
  secrets,
  accounts: await Accounts.demo(),
  clients: [rpClient({ url: rpUrl, secret: secrets.rpSecret })],
  store: storeFrom(process.env.REDIS_URL),
  // An issuer under another address than ours is reached through somebody's proxy.
  proxy: process.env.ISSUER !== undefined,
});
const rp = makeRp({ issuer, url: rpUrl, secret: secrets.rpSecret });

const servers = [await listen(app, port), await listen(rp, rpPort)];
const initialAccessToken = await new provider.InitialAccessToken({}).save();

console.log(`Browser:  open ${rpUrl} and choose "Sign in"`);
console.log(`Phone:    copy the link below the code to a private window, or run: npm run phone -- <address>`);
console.log(
  lan
    ? `          or scan this with a real phone in this network and sign in (alice, wonderland):`
    : `          or for a real phone in this network, stop this and run: npm start -- --lan`,
);
if (lan) console.log(await QRCode.toString(`${issuer}/account`, { type: 'terminal', small: true }));
console.log(`More RPs: register them at ${issuer}/reg with the initial access token ${initialAccessToken}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    qr.close();
    for (const server of servers) server.close();
    setTimeout(() => process.exit(0), 3_000).unref();
  });
}

async function listen(application: Koa, onPort: number): Promise<Server> {
  const server = createServer(application.callback());
  // Only --lan opens this machine to others.
  server.listen(onPort, lan ? '0.0.0.0' : 'localhost');
  await once(server, 'listening').catch((error: Error) => {
    console.error(`Port ${onPort} cannot be used (${error.message}); set PORT or RP_PORT to another one.`);
    process.exit(1);
  });
  return server;
}

function storeFrom(redisUrl: string | undefined): Keyv {
  if (redisUrl === undefined) return new Keyv();
  const store = new Keyv({ store: new KeyvRedis(redisUrl, { throwOnErrors: true }), throwOnErrors: true });
  store.on('error', (error: Error) => console.error(`Redis: ${error.message}`));
  return store;
}

function portFrom(name: string, fallback: number): number {
  const given = process.env[name] ?? `${fallback}`;
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  console.error(`${name} must be a port number, not "${given}".`);
  process.exit(1);
}

function lanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const address = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (address !== undefined) return address;
  console.error('--lan: this machine has no address in a local network.');
  process.exit(1);
}
