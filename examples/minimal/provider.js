import parseBody from 'co-body';
import { Keyv } from 'keyv';
import { Provider } from 'oidc-provider';
import { keyvAdapter, qrLogin } from 'oidc-provider-qr-login';

const issuer = 'http://localhost:3000';
const accounts = [{ id: '1', name: 'Alice Liddell', userName: 'alice', password: 'wonderland' }];

export const qr = qrLogin({
  // The name that the phone shows; undefined for an account that may not sign in.
  findAccount: (id) => accounts.find((account) => account.id === id),
  // Sends a phone without a session to sign in, by an ordinary authorization request of the client "account".
  signIn: (_ctx, { returnTo, fresh }) => {
    const request = { client_id: 'account', response_type: 'none', scope: 'openid', state: returnTo };
    const redirect_uri = `${issuer}/account/signed-in`;
    return `${issuer}/auth?${new URLSearchParams({ ...request, redirect_uri, ...(fresh && { prompt: 'login' }) })}`;
  },
  // That request gets the password page instead of a code, because a phone cannot scan its own screen.
  loginPage: (_ctx, { params }) => (params.client_id === 'account' ? { path: 'password' } : undefined),
  // A user without a phone gets this page as well.
  otherWays: () => [{ path: 'password', label: 'Sign in with a password' }],
  name: 'My ID',
  // Makes the code's address a link, to try it without a phone. Remove this in production.
  showAddress: true,
});

export const provider = new Provider(issuer, {
  adapter: keyvAdapter(new Keyv()),
  // These keys sign the cookies and the codes: set a secret one, the same on every node.
  cookies: { keys: [process.env.COOKIE_KEY ?? 'not a secret: for trying things out only'] },
  // oidc-provider's development pages would replace the code.
  features: { devInteractions: { enabled: false } },
  // ID tokens say how the user signed in.
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
  interactions: { policy: qr.policy, url: qr.interactionUrl },
  renderError: qr.renderError,
  clients: [
    {
      client_id: 'account',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${issuer}/account/signed-in`],
      response_types: ['none'],
      grant_types: [],
    },
    { client_id: 'demo', client_secret: 'a secret of the app', redirect_uris: ['http://localhost:3001/callback'] },
  ],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // The account page belongs to the provider: it needs no consent.
  loadExistingGrant: async ({ oidc: { client, session, result, provider } }) => {
    const grantId = result?.consent?.grantId ?? session?.grantIdFor(`${client?.clientId}`);
    if (grantId !== undefined) return provider.Grant.find(grantId);
    if (client?.clientId !== 'account' || session?.accountId === undefined) return undefined;
    const grant = new provider.Grant({ clientId: 'account', accountId: session.accountId });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

qr.attach(provider);

const passwordPage = (mistake = '') => `<!doctype html><title>Sign in</title><form method="post"><p>${mistake}</p>
<label>Name <input name="name" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>`;

provider.use(async (ctx, next) => {
  if (/^\/interaction\/[\w-]+\/password$/.test(ctx.path)) {
    // Fails if this browser has no interaction here.
    await provider.interactionDetails(ctx.req, ctx.res);
    ctx.set({ 'Content-Security-Policy': "frame-ancestors 'none'", 'Cache-Control': 'no-store' });
    ctx.body = passwordPage();
    if (ctx.method !== 'POST') return;
    const { name, password } = await parseBody.form(ctx, { limit: 4096 });
    const signedIn = accounts.find((one) => one.userName === name && one.password === password);
    if (signedIn === undefined) {
      ctx.body = passwordPage('Name or password is wrong.');
      return;
    }
    ctx.status = 303;
    const login = { accountId: signedIn.id, amr: ['pwd'] };
    // Use only the path, because the origin is that of the request, which may be forged.
    ctx.redirect(new URL(await provider.interactionResult(ctx.req, ctx.res, { login })).pathname);
  } else if (ctx.path === '/account/signed-in') {
    // Sends the phone back to the code that it scanned, and nowhere else.
    ctx.redirect(`${ctx.query.state}`.startsWith('/qr/') ? `${ctx.query.state}` : '/qr/scan');
  } else await next();
});

provider.listen(3000, () => console.log(`The provider is at ${issuer}`));
