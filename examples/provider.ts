/** The example provider: oidc-provider with QR sign-in, a password page and an account page. */
import { Keyv } from 'keyv';
import Koa from 'koa';
import mount from 'koa-mount';
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import { keyvAdapter, type QrLogin, type QrLoginOptions, qrLogin } from '../src/index.ts';
import { passkeys } from '../src/passkeys.ts';
import { ACCOUNT_CLIENT, accountClient, accountPage, accountSignIn } from './account-page.ts';
import type { Accounts } from './accounts.ts';
import { health } from './health.ts';
import { logEvents, logRequests } from './log.ts';
import { addPasskey, PasskeyRecords } from './passkeys.ts';
import { PASSWORD_ACR, passwordSignIn } from './password-sign-in.ts';
import { reachOwn } from './reach.ts';
import type { Secrets } from './secrets.ts';

/** What a passkey is worth here: the `acr` of sign-ins with one. */
const PASSKEY_ACR = 'urn:example:acr:passkey';

/** The example's own pages, in the layout of the plugin's. */
export const VIEWS: URL = new URL('views', import.meta.url);

export interface ExampleOptions {
  readonly issuer: string;
  readonly accounts: Accounts;
  readonly secrets: Secrets;
  readonly clients: ClientMetadata[];
  /** Where everything is kept; in memory by default. */
  readonly store?: Keyv;
  /** Whether the provider is behind a proxy whose `X-Forwarded-*` headers are true. */
  readonly proxy?: boolean;
  /** Whether people may sign in with a passkey, and must approve with one once they have one. Browsers want https or localhost. */
  readonly passkeys?: boolean;
  /** Where events go; nowhere by default. */
  readonly logger?: Logger;
  /** More options for the QR sign-in, and more configuration for the provider. */
  readonly qrLogin?: Partial<QrLoginOptions>;
  readonly configuration?: Configuration;
}

export interface Example {
  readonly provider: Provider;
  readonly qr: QrLogin;
  /** The provider at the issuer's path; `/health` and `/alive` are beside it, at the root. */
  readonly app: Koa;
}

export function makeExample({
  issuer,
  accounts,
  secrets,
  clients,
  store = new Keyv(),
  ...more
}: ExampleOptions): Example {
  const records = new PasskeyRecords(store);
  const { guard, signIn } = passkeys({ issuer, ...records, withoutPasskey: 'allow', acr: PASSKEY_ACR });
  const qr = qrLogin({
    findAccount: (id) => accounts.find(id),
    signIn: accountSignIn(issuer, accounts),
    // The phone signs in to its own account page; it cannot scan itself.
    loginPage: (_ctx, { params }) => (params.client_id === ACCOUNT_CLIENT ? { path: 'password' } : undefined),
    otherWays: (_ctx, _interaction, t) => [{ path: 'password', label: t('way.password') }],
    views: VIEWS,
    ...(more.passkeys && { guard, passkeySignIn: signIn }),
    store,
    name: 'Example ID',
    // For whoever tries this without a phone: copy it to a private window, or to the phone in the terminal.
    showAddress: true,
    ...more.qrLogin,
  });

  const base = new URL(issuer).pathname.replace(/\/$/, '');
  const provider = new Provider(issuer, {
    adapter: keyvAdapter(store),
    clients: [accountClient(issuer), ...clients],
    findAccount: accounts.findOidcAccount,
    cookies: { keys: secrets.cookieKeys },
    jwks: secrets.jwks,
    interactions: { policy: qr.policy, url: qr.interactionUrl },
    acrValues: [PASSWORD_ACR, PASSKEY_ACR],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name'],
      email: ['email'],
    },
    features: {
      devInteractions: { enabled: false },
      // An RP that wants to be told hears when its person is signed out from elsewhere, on `/qr/devices` for example.
      backchannelLogout: { enabled: true },
      registration: { enabled: true, initialAccessToken: true },
      rpInitiatedLogout: { logoutSource: (ctx, form) => qr.render(ctx, 'sign-out', { form }) },
    },
    fetch: reachOwn(clients),
    renderError: (ctx, { error, error_description: problem }) => {
      qr.render(ctx, 'problem', { problem: problem ?? error });
    },
    // Apps in a browser may ask for tokens from where they are registered to be.
    clientBasedCORS: (_ctx, origin, { redirectUris = [] }) =>
      redirectUris.some((uri) => new URL(uri).origin === origin),
    // The account page is the provider's own: nobody needs to consent to it.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider, result } = ctx.oidc;
      if (client === undefined || session === undefined) return undefined;
      const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
      if (grantId !== undefined) return provider.Grant.find(grantId);
      if (client.clientId !== ACCOUNT_CLIENT || session.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
    ttl: { Interaction: 3600, Session: 14 * 24 * 3600, Grant: 14 * 24 * 3600, AccessToken: 3600, IdToken: 3600 },
    ...more.configuration,
  });

  if (base === '') provider.use(health(qr));
  if (more.logger) {
    logEvents(provider, more.logger);
    provider.use(logRequests(more.logger));
  }
  qr.attach(provider);
  provider.use(passwordSignIn(provider, accounts, qr));
  if (more.passkeys) provider.use(addPasskey(provider, accounts, records));
  provider.use(accountPage(provider, accounts, { base, passkeys: more.passkeys ?? false, qr }));
  provider.proxy = more.proxy ?? false;
  return { provider, qr, app: base === '' ? provider : below(base, provider, qr) };
}

/** An issuer with a path: the provider is mounted there, and the app around it signs cookies and trusts proxies alike. */
function below(base: string, provider: Provider, qr: QrLogin): Koa {
  const app = new Koa();
  app.keys = provider.keys ?? [];
  app.proxy = provider.proxy;
  app.maxIpsCount = provider.maxIpsCount;
  return app.use(health(qr)).use(mount(base, provider));
}
