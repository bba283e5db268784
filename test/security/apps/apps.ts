/**
 * Row 38 of the table in docs/security.md: an app acts only with its own token, its own key, and a new proof for each
 * request.
 */
import type { Context } from 'koa';
import { Nonces } from '../../../src/http/api/nonces.ts';
import { AppTokens } from '../../../src/oidc/apps/app-token.ts';
import { ProofVerifier } from '../../../src/oidc/apps/dpop-proof.ts';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import { OTHER_APP, PHONE_APP, phoneApp } from '../../fixtures/phone-app.ts';
import { AppPerson } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, replacing, type Weakness } from '../attack.ts';
import { openQrPage } from '../scene.ts';
import { acceptsBearer, acceptsCookies, acceptsIdTokens, checksTokensOnce } from './lax.ts';
import { approveOwnBrowser, signInAttacker, signInVictim } from './thief.ts';

/** Marks the attacks that need the app. A running example registers it. */
const withApps: WorldOptions = { qrLogin: { apps: {} } };

const anyKey: Weakness = {
  defence: 'a token that is bound to its key',
  patch: replacing(AppTokens.prototype, 'assertBound', () => () => undefined),
};
const anyRequest: Weakness = {
  defence: 'a proof that is bound to its request',
  patch: replacing(ProofVerifier.prototype, 'assertRequest', () => () => undefined),
};
const anyToken: Weakness = {
  defence: 'a proof that is bound to its token',
  patch: replacing(ProofVerifier.prototype, 'assertToken', () => () => undefined),
};
const anyTimes: Weakness = {
  defence: 'a proof that counts once',
  patch: replacing(KeyvNotes.prototype, 'claim', () => async () => true),
};
const anyNonce: Weakness = {
  defence: "the server's own nonce",
  patch: replacing(Nonces.prototype, 'isValid', () => () => true),
};
const anyScope: Weakness = {
  defence: 'the scope qr_login',
  patch: replacing(AppTokens.prototype, 'assertScope', () => () => undefined),
};
const anyResource: Weakness = {
  defence: 'a token without a resource',
  patch: replacing(AppTokens.prototype, 'assertAudience', () => () => undefined),
};

const RESOURCE = 'https://api.example';
/** A resource whose scope has the same name as that of the plugin. */
const resourceServer: WorldOptions = {
  qrLogin: { apps: {} },
  configuration: {
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'qr_login', audience: RESOURCE, accessTokenFormat: 'opaque' }),
        useGrantedResource: () => true,
      },
    },
  },
};

const shortTokens: WorldOptions = { qrLogin: { apps: {} }, configuration: { ttl: { AccessToken: 1, Grant: 60 } } };

/** Access tokens that are stored and accepted for too long. */
const tokensThatLast: WorldOptions = {
  extend: ({ provider }) => {
    const { adapter } = provider.AccessToken;
    const upsert = adapter.upsert.bind(adapter);
    adapter.upsert = (id, payload) => upsert(id, { ...payload, exp: Number(payload.exp) + 60 }, 60);
  },
};

export const attacks: readonly Attack[] = [
  {
    row: 38,
    name: 'signs in with a stolen token as a Bearer token',
    on: withApps,
    without: acceptsBearer,
    run: async (site) => {
      const { accessToken } = await signInVictim(site);
      const thief = new AppPerson(site);
      const authorization = `Bearer ${accessToken}`;
      return approveOwnBrowser(site, (method, path, request) =>
        thief.request(method, path, { ...request, authorization, proof: '' }),
      );
    },
  },
  {
    row: 38,
    name: "signs in with a stolen token and the attacker's own key",
    on: withApps,
    without: anyKey,
    run: async (site) => {
      const [{ accessToken }, thief] = await Promise.all([signInVictim(site), signInAttacker(site)]);
      thief.accessToken = accessToken;
      return approveOwnBrowser(site, (...request) => thief.request(...request));
    },
  },
  ...(['GET /qr/api/browsers', 'GET same', 'POST /qr/api/scans/'] as const).map(
    (madeFor): Attack => ({
      row: 38,
      name: `signs in with unused proofs of the victim for ${madeFor}`,
      on: withApps,
      without: anyRequest,
      run: async (site) => {
        const app = await signInVictim(site);
        await app.request('GET', '/qr/api/browsers');
        const [method = '', url = ''] = madeFor.split(' ');
        return approveOwnBrowser(site, async (actual, path, request) => {
          const proof = await app.prove(method, url === 'same' ? path : url);
          return app.request(actual, path, { ...request, proof });
        });
      },
    }),
  ),
  {
    row: 38,
    name: 'signs in with proofs of the victim for another token',
    on: withApps,
    without: anyToken,
    run: async (site) => {
      const app = await signInVictim(site);
      await app.request('GET', '/qr/api/browsers');
      return approveOwnBrowser(site, async (method, path, request) => {
        const proof = await app.prove(method, path, { token: 'an older token' });
        return app.request(method, path, { ...request, proof });
      });
    },
  },
  {
    row: 38,
    name: 'claims a code for the victim with a request that the victim has sent',
    on: withApps,
    without: anyTimes,
    run: async (site) => {
      const app = await signInVictim(site);
      await app.request('GET', '/qr/api/browsers');
      const proof = await app.prove('POST', '/qr/api/scans');
      const scan = async () => {
        const code = await (await openQrPage(site)).code();
        return app.request('POST', '/qr/api/scans', { body: { code }, proof });
      };
      const first = await scan();
      if (first.status !== 201) throw new Error(`the victim cannot scan: ${first.text}`);
      return (await scan()).status === 201 ? 'a ticket that the victim did not scan' : undefined;
    },
  },
  ...(['no nonce', 'a nonce of another server'] as const).map(
    (kind): Attack => ({
      row: 38,
      name: `signs in with proofs that were made in advance, with ${kind}`,
      on: withApps,
      without: anyNonce,
      run: async (site) => {
        const app = await signInVictim(site);
        const nonce = kind === 'no nonce' ? undefined : Buffer.alloc(32, 7).toString('base64url');
        return approveOwnBrowser(site, async (method, path, request) => {
          const proof = await app.prove(method, path, { nonce });
          return app.request(method, path, { ...request, proof, retries: false });
        });
      },
    }),
  ),
  {
    row: 38,
    name: 'signs in with a token that was granted without the scope qr_login',
    on: withApps,
    without: anyScope,
    run: async (site) => {
      const app = await new AppPerson(site).signIn('alice', { scope: 'openid offline_access' });
      return approveOwnBrowser(site, (...request) => app.request(...request));
    },
  },
  {
    row: 38,
    name: 'signs in with a token for a resource',
    on: resourceServer,
    without: anyResource,
    run: async (site) => {
      const app = await new AppPerson(site).signIn('alice', { resource: RESOURCE });
      return approveOwnBrowser(site, (...request) => app.request(...request));
    },
  },
  {
    row: 38,
    name: 'signs in with the token of an app that the deployment has not listed',
    on: { clients: [phoneApp(OTHER_APP)], qrLogin: { apps: { clients: [PHONE_APP] } } },
    without: { defence: 'the list of apps', options: { qrLogin: { apps: {} } } },
    run: async (site) => {
      const app = await new AppPerson(site, { clientId: OTHER_APP }).signIn();
      return approveOwnBrowser(site, (...request) => app.request(...request));
    },
  },
  {
    row: 38,
    name: 'signs in with an expired token',
    on: shortTokens,
    without: { defence: 'tokens that expire', options: tokensThatLast },
    run: async (site) => {
      const app = await signInVictim(site);
      const issued = Date.now();
      await until(() => Date.now() > issued + 2_000);
      return approveOwnBrowser(site, (...request) => app.request(...request));
    },
  },
  {
    row: 38,
    name: 'approves with a token that was revoked after the scan',
    on: withApps,
    without: checksTokensOnce,
    run: async (site) => {
      const app = await signInVictim(site);
      return approveOwnBrowser(site, async (method, path, request) => {
        if (path.endsWith('/decision')) await app.revoke();
        return app.request(method, path, request);
      });
    },
  },
  {
    row: 38,
    name: 'reads an answer to the app in a page of another origin',
    on: withApps,
    without: {
      defence: 'the origins of the app',
      options: inFront(async (ctx: Context, next) => {
        const origin = ctx.get('origin');
        delete ctx.req.headers.origin;
        await next();
        if (origin !== '') ctx.set('Access-Control-Allow-Origin', origin);
      }),
    },
    run: async (site) => {
      const app = await signInVictim(site);
      const answer = await app.request('GET', '/qr/api/browsers', { headers: { origin: 'https://evil.example' } });
      const isReadable = answer.headers.get('access-control-allow-origin') !== null;
      return answer.status === 200 && isReadable ? answer.text : undefined;
    },
  },
  {
    row: 38,
    name: "signs in with the victim's cookie and no token",
    on: withApps,
    without: acceptsCookies,
    run: async (site) => {
      const app = await signInVictim(site);
      const cookie = await app.cookies();
      const page = new AppPerson(site);
      return approveOwnBrowser(site, (method, path, request) =>
        page.request(method, path, { ...request, headers: { cookie }, authorization: '', proof: '' }),
      );
    },
  },
  {
    row: 38,
    name: 'signs in with an ID token of the victim',
    on: withApps,
    without: acceptsIdTokens,
    run: async (site) => {
      const [{ idToken }, thief] = await Promise.all([signInVictim(site), signInAttacker(site)]);
      thief.accessToken = idToken;
      return approveOwnBrowser(site, (...request) => thief.request(...request));
    },
  },
];
