/** Contains TypeScript code that uses each part of the package's types, as an app would. */

const CODE = `
import { after, before, describe, it } from 'node:test';
import { Keyv } from 'keyv';
import type { Context } from 'koa';
import type { Configuration, Provider } from 'oidc-provider'IMPORT;
import {
  type Account, type BackgroundCallbacks, type LocalAuthentication, type MakeStoreEngine, type QrLogin,
  type QrLoginOptions, type RiskContext, type StoreEngine, type TicketEvent, type Verdict,
  assessByDefault, keyvAdapter, localAuthentication, QrLoginError, qrLogin,
} from 'oidc-provider-qr-login';
import { type Passkey, type PasskeyOptions, passkeys } from 'oidc-provider-qr-login/passkeys';
import { storeContract } from 'oidc-provider-qr-login/store-contract';

type IsAny<T> = 0 extends 1 & T ? true : false;
function typed<T>(_value: T, isAny: IsAny<T>): IsAny<T> {
  return isAny;
}

const accounts = new Map<string, Account>([['1', { name: 'Alice Liddell' }]]);
const store = new Keyv();
const options: QrLoginOptions = {
  findAccount: (id) => accounts.get(id),
  signIn: (ctx: Context, { returnTo }) => \`/sign-in?\${ctx.path}\${returnTo}\`,
  loginPage: (ctx, { params }) => (typed(ctx, false) || params.client_id !== 'account' ? undefined : { path: 'password' }),
  assess: (risk: RiskContext): Verdict => (risk.browser.known ? 'allow' : assessByDefault(risk)),
  onSignIn: (signIn) => console.log(signIn.client.host),
  store,
};
export const qr: QrLogin = qrLogin(options);

const passkeyOptions: PasskeyOptions = {
  issuer: 'https://id.example.com',
  ofAccount: (): Passkey[] => [],
  find: () => undefined,
  used: (id, counter) => console.log(id.length, counter.toFixed()),
};
export const { guard, signIn, registration } = passkeys(passkeyOptions);
export const guarded: QrLogin = qrLogin({ ...options, guard, passkeySignIn: signIn });

export const configuration: Configuration = {
  adapter: keyvAdapter(store, { secrets: ['a secret of more than 32 characters'] }),
  interactions: { policy: qr.policy, url: qr.interactionUrl },
  renderError: qr.renderError,
};

export function listen(provider: Provider): void {
  qr.attach(provider);
  provider.on('qr_login.approved', (ctx, ticket) => {
    const event: TicketEvent = ticket;
    console.log(event.ticket, typed(ctx, false), typed(ticket, false));
  });
  provider.once('qr_login.failed', (_ctx, error, failure) => console.log(error.code, failure?.from, typed(error, false)));
  provider.use(async (ctx, next) => {
    if (ctx.path !== '/password') return next();
    const local: LocalAuthentication | undefined = await localAuthentication(provider, ctx);
    qr.render(ctx, 'password', { local });
  });
}

export const isRefusal = (error: unknown): error is QrLoginError => error instanceof QrLoginError;

export function testEngine(make: MakeStoreEngine, callbacks: BackgroundCallbacks): void {
  const engine: StoreEngine = make(Date.now, callbacks);
  const { close } = engine;
  storeContract({ describe, it, before, after }, 'my store', () => ({ here: engine, there: engine, close }));
}
`;

/** For an ES module, or for a file that is an ES module or CommonJS, depending on the module resolution. */
export const ES_MODULE: string = CODE.replace('IMPORT', '');

/** A CommonJS module. The types of oidc-provider belong to an ES module, and must be imported as such. */
export const COMMON_JS: string = CODE.replace('IMPORT', " with { 'resolution-mode': 'import' }");
