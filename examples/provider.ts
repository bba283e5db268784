/** Makes the example provider: oidc-provider with QR sign-in, a password page and an account page. */
import { Keyv } from 'keyv';
import Koa from 'koa';
import mount from 'koa-mount';
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import { keyvAdapter, type QrLogin, type QrLoginOptions, qrLogin } from '../src/index.ts';
import { passkeys } from '../src/passkeys.ts';
import { ACCOUNT_CLIENT, accountClient, accountPage, accountSignIn } from './account-page.ts';
import type { Accounts } from './accounts.ts';
import { APPROVING_SCOPE, appClient, isOfApprovingApp } from './app/client.ts';
import { CONSOLE_CLIENT, consoleClient, OPERATOR_SCOPE } from './console/client.ts';
import { operatorConsole } from './console/console.ts';
import { serveFeatures } from './features.ts';
import { health } from './health.ts';
import { askToSignOut, home, showSignedOut } from './home.ts';
import { logEvents, logNewPasskey, logRequests } from './log.ts';
import { mailChange } from './mail-change.ts';
import { managePasskeys, PasskeyRecords } from './passkeys.ts';
import { PasswordLimits } from './password-limits.ts';
import { PASSWORD_ACR, passwordSignIn } from './password-sign-in.ts';
import { phoneClient } from './phone-session.ts';
import { reachOwn } from './reach.ts';
import type { Secrets } from './secrets.ts';
import { terminalClient } from './terminal-sign-in.ts';

/** The `acr` of sign-ins with a passkey. */
const PASSKEY_ACR = 'urn:example:acr:passkey';

/** The name of the provider for its users. */
export const NAME = 'Example ID';

/** The time for which an initial access token can be used to register RPs, in seconds. */
const REGISTRATION_SECONDS = 24 * 3600;

/** Makes an initial access token, with which RPs can be registered for a day. */
export function makeInitialAccessToken({ InitialAccessToken }: Provider): Promise<string> {
  return new InitialAccessToken({ expiresIn: REGISTRATION_SECONDS }).save();
}

/** The time for which an operator is trusted to be at the browser, in seconds. */
const OPERATOR_FRESH_SECONDS = 600;

/** The folder with the example's own pages, which use the layout of the plugin's pages. */
export const VIEWS: URL = new URL('views', import.meta.url);

export interface ExampleOptions {
  readonly issuer: string;
  readonly accounts: Accounts;
  readonly secrets: Secrets;
  readonly clients: ClientMetadata[];
  /** The origin of the app in `examples/app`; none by default. Other apps can register. */
  readonly appUrl?: string;
  /** The address of the demo app, for a link on the start page; none by default. */
  readonly demoUrl?: string;
  /** The store for all records; in memory by default. */
  readonly store?: Keyv;
  /** True if the provider is behind a proxy that sets the `X-Forwarded-*` headers. False by default. */
  readonly proxy?: boolean;
  /** The number of proxies that add an address to `X-Forwarded-For`. 0, the default, trusts all addresses in it. */
  readonly maxIpsCount?: number;
  /**
   * True if users can sign in with a passkey, and must approve with it once they have one. Browsers require https or
   * localhost.
   */
  readonly passkeys?: boolean;
  /** Sends the requests to the RPs in `clients`; the global `fetch` by default. */
  readonly fetch?: typeof fetch;
  /** The logger for events; none by default. */
  readonly logger?: Logger;
  /** The address that makes providers with other settings; none by default. */
  readonly settingsUrl?: string;
  /** The console for operators at `/console`; none by default. */
  readonly console?: {
    /** The ids of the accounts that are operators. */
    readonly operators: readonly string[];
    /** The longest time since an operator has authenticated in this browser, in seconds. Ten minutes by default. */
    readonly freshSeconds?: number;
    /** The file of the decisions that apps have signed; none by default. */
    readonly auditLog?: string;
  };
  /** Options of the QR sign-in that override the example's. */
  readonly qrLogin?: Partial<QrLoginOptions>;
  /** Configuration of the provider that overrides the example's. */
  readonly configuration?: Configuration;
}

export interface Example {
  readonly provider: Provider;
  readonly qr: QrLogin;
  /** The app with the provider at the issuer's path, and `/health` and `/alive` at the root. */
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
  const { guard, signIn, registration, browserPasskeys } = passkeys({
    issuer,
    ...records,
    name: NAME,
    withoutPasskey: 'allow',
    ...(more.appUrl !== undefined && { appOrigins: [more.appUrl] }),
    acr: PASSKEY_ACR,
    onNewPasskey: (_ctx, passkey) => more.logger && logNewPasskey(more.logger, passkey),
  });
  const phoneSignIn = accountSignIn(issuer, accounts);
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  const qr = qrLogin({
    findAccount: (id) => accounts.find(id),
    signIn: phoneSignIn,
    // A phone signs in on the account page, or in its app, with a password, because it cannot scan its own screen. An
    // operator shows in this way to be at the browser of the console.
    loginPage: (_ctx, { params }) =>
      params.client_id === ACCOUNT_CLIENT || params.client_id === CONSOLE_CLIENT || isOfApprovingApp(params)
        ? { path: 'password' }
        : undefined,
    // Approve on the phone is the consent to what the phone lists, so the browser does not ask again.
    consent: () => 'phone',
    otherWays: (_ctx, _interaction, t) => [{ path: 'password', label: t('way.password') }],
    views: VIEWS,
    ...(more.passkeys && { guard, passkeySignIn: signIn, browserPasskeys, passkeysUrl: `${base}/account` }),
    store,
    name: NAME,
    // An RP verifies with the provider's keys that the user has approved, for example a payment.
    actions: { jwks: secrets.jwks },
    // To try the example without a phone: copy the address to a private window, or to the phone in the terminal.
    showAddress: true,
    ...more.qrLogin,
  });

  const isOperator = (accountId: string): boolean => more.console?.operators.includes(accountId) ?? false;
  const provider = new Provider(issuer, {
    // With these keys, a copy of the store gives no access.
    adapter: keyvAdapter(store, { secrets: secrets.cookieKeys }),
    clients: [
      accountClient(issuer),
      phoneClient(),
      terminalClient(),
      ...(more.appUrl === undefined ? [] : [appClient(more.appUrl)]),
      ...(more.console === undefined ? [] : [consoleClient(issuer)]),
      ...clients,
    ],
    findAccount: accounts.findOidcAccount,
    cookies: { keys: secrets.cookieKeys },
    jwks: secrets.jwks,
    interactions: { policy: qr.policy, url: qr.interactionUrl },
    acrValues: [PASSWORD_ACR, PASSKEY_ACR],
    // Each app that is granted `qr_login` may approve sign-ins. The user sees it on the consent page.
    // An RP that is granted `qr_action` may ask its users to approve something on their phone.
    scopes: ['openid', 'offline_access', APPROVING_SCOPE, 'qr_action', ...(more.console ? [OPERATOR_SCOPE] : [])],
    // The tokens of these apps say when and how their user signed in.
    extraTokenClaims: qr.extraTokenClaims,
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name'],
      email: ['email'],
    },
    features: {
      devInteractions: { enabled: false },
      // An RP that registers for it is notified when its user is signed out from another device, for example on
      // `/qr/devices`.
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      // The demo app gets a token of its own by its client secret.
      clientCredentials: { enabled: true },
      registration: { enabled: true, initialAccessToken: true },
      // An app that signs out revokes its grant.
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: {
        logoutSource: (ctx, form) => askToSignOut(ctx, qr, form),
        postLogoutSuccessSource: (ctx) => showSignedOut(ctx, qr),
      },
    },
    fetch: reachOwn(clients, more.fetch),
    renderError: qr.renderError,
    // Apps that run in a browser may request tokens from the origins of their redirect URIs. Other clients need no
    // CORS: a confidential client is a server, and a native app is no page. The redirect URI of a native app may also
    // have the opaque origin `null`, which any sandboxed page sends.
    clientBasedCORS: (_ctx, origin, { applicationType, clientAuthMethod, redirectUris = [] }) =>
      applicationType === 'web' &&
      clientAuthMethod === 'none' &&
      redirectUris.some((uri) => new URL(uri).origin === origin),
    // The account page and the console belong to the provider, so they need no consent.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider, result } = ctx.oidc;
      if (client === undefined || session === undefined) return undefined;
      const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
      if (grantId !== undefined) return provider.Grant.find(grantId);
      const isOwn = client.clientId === ACCOUNT_CLIENT || client.clientId === CONSOLE_CLIENT;
      if (!isOwn || session.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid');
      // Other accounts cannot consent to it: a rejected scope is not asked for.
      if (isOperator(session.accountId)) grant.addOIDCScope(OPERATOR_SCOPE);
      else grant.rejectOIDCScope(OPERATOR_SCOPE);
      await grant.save();
      return grant;
    },
    ttl: {
      Interaction: 3600,
      Session: 14 * 24 * 3600,
      Grant: 14 * 24 * 3600,
      RefreshToken: 14 * 24 * 3600,
      AccessToken: 3600,
      ClientCredentials: 600,
      IdToken: 3600,
    },
    ...more.configuration,
  });

  if (base === '') provider.use(health(qr));
  provider.use(serveFeatures(more));
  if (more.logger) {
    logEvents(provider, more.logger);
    provider.use(logRequests(more.logger));
  }
  qr.attach(provider);
  const passwordLimits = more.qrLogin?.limits === false ? undefined : new PasswordLimits();
  provider.use(home({ provider, accounts, qr, demoUrl: more.demoUrl }));
  provider.use(passwordSignIn({ provider, accounts, qr, limits: passwordLimits, hasPasskeys: more.passkeys ?? false }));
  if (more.passkeys) provider.use(managePasskeys({ provider, accounts, registration, records, signIn: phoneSignIn }));
  provider.use(mailChange({ provider, accounts, qr }));
  provider.use(accountPage(provider, accounts, { base, passkeys: more.passkeys ? records : undefined, qr }));
  if (more.console) {
    const { freshSeconds = OPERATOR_FRESH_SECONDS, auditLog } = more.console;
    provider.use(operatorConsole({ provider, qr, accounts, isOperator, freshSeconds, auditLog, fetch: more.fetch }));
  }
  provider.proxy = more.proxy ?? false;
  provider.maxIpsCount = more.maxIpsCount ?? 0;
  return { provider, qr, app: base === '' ? provider : mountBelow(base, provider, qr) };
}

/**
 * Mounts the provider at the path of its issuer. The outer app makes the context, so it needs the same cookie keys and
 * the same proxy settings.
 */
function mountBelow(base: string, provider: Provider, qr: QrLogin): Koa {
  const app = new Koa();
  app.keys = provider.keys ?? [];
  app.proxy = provider.proxy;
  app.maxIpsCount = provider.maxIpsCount;
  return app.use(health(qr)).use(mount(base, provider));
}
