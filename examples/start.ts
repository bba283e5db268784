/**
 * `npm start`: the example provider and the demo RP in one process, with all data in memory unless REDIS_URL is set.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { isIP } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import QRCode from 'qrcode';
import { AuditLog } from '../src/audit/index.ts';
import { Accounts } from './accounts.ts';
import { buildApp } from './app/build.ts';
import { APP_CLIENT } from './app/client.ts';
import { makeApp } from './app/server.ts';
import { ProvidersOnDemand } from './everything.ts';
import { flagsFrom } from './flags.ts';
import { closeAll, endAtSignal } from './graceful.ts';
import { issuerFrom } from './issuer.ts';
import { certificateFor, fetchTrusting } from './lan-certificate.ts';
import { makeLogger } from './log.ts';
import { portFrom } from './ports.ts';
import { makeExample, makeInitialAccessToken, NAME, VIEWS } from './provider.ts';
import { makeRp, rpClient } from './rp.ts';
import { loadSecrets, makeVapid } from './secrets.ts';
import { storeFrom } from './store.ts';

const flags = flagsFrom('npm start', ['lan', 'theme', 'everything']);
const lan = flags.has('lan');
const port = portFrom('PORT', 3000);
const rpPort = portFrom('RP_PORT', 3001);
const appPort = portFrom('APP_PORT', Math.min(rpPort + 1, 65_535));
const host = lan ? findLanAddress() : 'localhost';
// If ISSUER is set, a proxy has the certificate.
const certificate = lan && process.env.ISSUER === undefined ? certificateFor(host) : undefined;
const scheme = certificate === undefined ? 'http' : 'https';
const issuer = issuerFrom('ISSUER', `${scheme}://${host}:${port}`);
const rpUrl = `${scheme}://${host}:${rpPort}`;
const send = certificate && fetchTrusting(certificate);
// The app needs a secure origin, such as `localhost`. An address in the local network is not secure.
const appUrl = issuerFrom('APP_URL', `http://localhost:${appPort}`);

const everything = flags.has('everything');

const secrets = loadSecrets();
const accounts = await Accounts.demo();
const store = storeFrom(process.env.REDIS_URL);
// The decisions that apps have signed, for the console. A deployment keeps them for good.
const auditFolder = mkdtempSync(join(tmpdir(), 'qr-login-example-'));
const auditLog = join(auditFolder, 'decisions.jsonl');
const audit = await AuditLog.open(auditLog);
const { provider, qr, app } = makeExample({
  issuer,
  secrets,
  accounts,
  clients: [rpClient({ url: rpUrl, secret: secrets.rpSecret })],
  appUrl,
  demoUrl: rpUrl,
  ...(send && { fetch: send }),
  store,
  // If ISSUER is set, requests come through a proxy at that address.
  proxy: process.env.ISSUER !== undefined,
  passkeys: mayHavePasskeys(new URL(issuer)),
  logger: makeLogger(),
  console: { operators: ['a11ce'], auditLog },
  ...(everything && { settingsUrl: `${issuer}/settings` }),
  qrLogin: {
    shortCode: true,
    // The example's app shows numbers to tap. Typing the number is more secure.
    askPhone: { entry: 'tap' },
    push: { vapid: makeVapid() },
    onDecision: audit.onDecision,
    ...(process.env.LIMITS === 'off' && { limits: false }),
    ...(flags.has('theme') && {
      name: 'Copperfield Bank',
      views: [VIEWS, new URL('theme', import.meta.url)],
    }),
  },
});
const phoneApp = makeApp(issuer, () => buildApp({ issuer, clientId: APP_CLIENT, provider: NAME }));
const rp = makeRp({ issuer, url: rpUrl, secret: secrets.rpSecret, ...(send && { fetch: send }) });

const onDemand = everything ? new ProvidersOnDemand({ issuer, secrets, accounts, provider }) : undefined;

const servers = [
  await listen(onDemand?.before(app.callback()) ?? app.callback(), port),
  await listen(rp.callback(), rpPort),
];
const appServer = await tryToListen(phoneApp.callback(), appPort);
if (appServer !== undefined) servers.push(appServer);
const initialAccessToken = await makeInitialAccessToken(provider).catch(() => {
  console.error('Redis does not answer: start it, or unset REDIS_URL.');
  process.exit(1);
});

console.log(`Browser:  open ${rpUrl} and choose "Sign in"; ${issuer} is the provider's own page`);
console.log(`Phone:    copy the link below the code to a private window, or run: npm run phone -- <address>`);
if (lan) await inviteRealPhone();
else console.log(`          or for a real phone in this network, stop this and run: npm start -- --lan`);
console.log(`Terminal: to sign in on a screen without a browser, run: npm run terminal -- ${issuer}`);
console.log(
  appServer === undefined
    ? `App:      port ${appPort} cannot be used: set APP_PORT to another one`
    : `App:      open ${appUrl} in a private window, as the app of a phone (more in examples/app/README.md)`,
);
console.log(`Console:  open ${issuer}/console as alice, who is its operator`);
console.log(`More RPs: register them at ${issuer}/reg with the initial access token ${initialAccessToken}`);

endAtSignal(async () => {
  await onDemand?.close();
  await closeAll(servers, qr, store);
  await audit.close();
  rmSync(auditFolder, { recursive: true, force: true });
});

/** Shows the address for phones as a QR code, and says what the phone will say about the certificate. */
async function inviteRealPhone(): Promise<void> {
  console.log(`          or scan this with a real phone in this network and sign in (alice, wonderland):`);
  console.log(await QRCode.toString(`${issuer}/account`, { type: 'terminal', small: true }));
  if (certificate !== undefined) {
    console.log(
      `          The certificate is self-made: on the phone and here, choose "Advanced" and go on, once each.`,
    );
    console.log(`          For npm run phone and npm run terminal: NODE_EXTRA_CA_CERTS=.data/lan-${host}.pem`);
  } else if (scheme === 'http' && process.env.ISSUER === undefined) {
    console.log(`          openssl has made no certificate, so this is http: the page /qr/scan gets no camera.`);
    console.log(`          Scan with the phone's own camera app, or set ISSUER to a proxy with a certificate.`);
  }
}

/** Returns true if browsers have passkeys for this issuer: for host names on https, and for localhost. */
function mayHavePasskeys({ protocol, hostname }: URL): boolean {
  return hostname === 'localhost' || (protocol === 'https:' && isIP(hostname.replace(/[[\]]/g, '')) === 0);
}

async function listen(listener: RequestListener, onPort: number): Promise<Server> {
  const server = certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);
  // Only --lan lets other machines connect.
  server.listen(onPort, lan ? '0.0.0.0' : 'localhost');
  await once(server, 'listening').catch((error: Error) => {
    console.error(`Port ${onPort} cannot be used (${error.message}); set PORT or RP_PORT to another one.`);
    process.exit(1);
  });
  return server;
}

/**
 * Listens on the app's port, if it is free. The example is useful without its app, so a port in use does not end it.
 */
async function tryToListen(listener: RequestListener, onPort: number): Promise<Server | undefined> {
  const server = createServer(listener);
  server.listen(onPort, 'localhost');
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}

function findLanAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const address = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (address !== undefined) return address;
  console.error('--lan: this machine has no address in a local network.');
  process.exit(1);
}
