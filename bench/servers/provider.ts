/**
 * Runs a provider with QR sign-in as an integrator would set it up, and with a password page that by default does not
 * hash passwords.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { type Configuration, Provider } from 'oidc-provider';
import { keyvAdapter, type QrLoginOptions, qrLogin } from '../../src/index.ts';
import { profiling } from '../profiler.ts';
import { answerQuestions, optionsOf } from '../programs.ts';
import { type BenchClient, DEVICE_RP, PASSWORD_RP, PHONE_APP, PHONE_CLIENT, RP, SHOP } from './clients.ts';
import { type Hash, passwordPage } from './password-page.ts';

export interface ProviderOptions {
  /** The URL of a Redis. Without it, the store is in memory. */
  readonly redis?: string;
  /** The port to listen at. By default any free one. */
  readonly port?: number;
  /** The issuer, if several nodes share it. By default this server's address. */
  readonly issuer?: string;
  /** The page that a login prompt gets. */
  readonly page?: 'qr' | 'password';
  readonly hash?: Hash;
  readonly qrLogin?: Pick<QrLoginOptions, 'rotation' | 'deadlines' | 'parkStreams'>;
}

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
/**
 * An RS256 key, the default for clients. It goes through PEM, because Node 20 can hang when it exports a generated key
 * as a JWK.
 */
const JWK = createPrivateKey(privateKey).export({ format: 'jwk' });
const SECRETS = ['a bench has no secrets, but they must be long enough'];

const { redis, port = 0, page = 'qr', hash = 'none', ...options } = optionsOf<ProviderOptions>();
const server = createServer();
server.keepAliveTimeout = 600_000;
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const issuer = options.issuer ?? url;

const store = redis === undefined ? new Keyv() : new Keyv({ store: new KeyvRedis(redis) });
const qr = qrLogin({
  findAccount: async (id) => ({ name: id }),
  signIn: (_ctx, { returnTo }) => `/phone?to=${encodeURIComponent(returnTo)}`,
  loginPage: (_ctx, { params }) =>
    page === 'password' || params.client_id === PHONE_CLIENT.id ? { path: 'password' } : undefined,
  otherWays: () => [{ path: 'password', label: 'Use a password' }],
  store,
  secrets: SECRETS,
  actions: { jwks: { keys: [JWK] } },
  ...options.qrLogin,
});
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const client = ({ id, redirectUri }: BenchClient): NonNullable<Configuration['clients']>[number] => ({
  client_id: id,
  token_endpoint_auth_method: 'none',
  redirect_uris: [redirectUri],
  grant_types: id === DEVICE_RP.id ? ['authorization_code', DEVICE_GRANT] : ['authorization_code'],
  response_types: ['code'],
  scope: id === PHONE_APP.id ? 'openid qr_login' : 'openid',
});
const provider = new Provider(issuer, {
  adapter: keyvAdapter(store, { secrets: SECRETS }),
  clients: [
    ...[RP, PHONE_CLIENT, PASSWORD_RP, PHONE_APP, DEVICE_RP].map(client),
    {
      client_id: SHOP.id,
      client_secret: SHOP.secret,
      token_endpoint_auth_method: 'client_secret_post',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      scope: 'qr_action',
    },
  ],
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  cookies: { keys: SECRETS },
  interactions: {
    policy: qr.policy,
    url: (ctx, interaction) =>
      interaction.params.client_id === PASSWORD_RP.id
        ? `/password/${interaction.uid}`
        : qr.interactionUrl(ctx, interaction),
  },
  scopes: ['openid', 'qr_login', 'qr_action'],
  extraTokenClaims: qr.extraTokenClaims,
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
  // The RP belongs to the provider, so no sign-in asks for consent.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    if (client === undefined || session?.accountId === undefined) return undefined;
    const grantId = session.grantIdFor(client.clientId);
    if (grantId !== undefined) return provider.Grant.find(grantId);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(client.clientId === PHONE_APP.id ? 'openid qr_login' : 'openid');
    await grant.save();
    return grant;
  },
  jwks: { keys: [JWK] },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
  },
  ttl: {
    DeviceCode: 600,
    Interaction: 3600,
    Session: 14 * 24 * 3600,
    Grant: 14 * 24 * 3600,
    AccessToken: 3600,
    ClientCredentials: 3600,
    IdToken: 3600,
  },
});
// Each simulated user has an address of its own, because rate limits count by address. Only the load generator connects
// to this server.
provider.proxy = true;
qr.attach(provider);
provider.use(passwordPage(provider, hash));
server.on('request', provider.callback());

answerQuestions({ url: () => url, ...profiling });
