/**
 * Tests an RP with express-openid-connect. It is set up as "Back-Channel Logout" in the examples of that library shows.
 */
import { expect } from 'chai';
import express from 'express';
import { auth, type ConfigParams } from 'express-openid-connect';
import * as client from 'openid-client';
import type { Agent } from '../support/agent.ts';
import { REACHES_THIS_MACHINE } from '../support/logout-inbox.ts';
import { ownBrowsers, signOut } from '../support/own-browsers.ts';
import { errorOf } from '../support/relying-party.ts';
import { BrowserPerson, PhonePerson, World } from '../support/world.ts';
import { type Credentials, host, type RunningRp, register } from './hosting.ts';

describe('an RP with express-openid-connect, if the user signs the browser out from the phone', () => {
  let world: World;
  let rp: RunningRp;
  let credentials: Credentials;

  before(async () => {
    world = await World.start({ configuration: REACHES_THIS_MACHINE });
    rp = await host(async (url) => {
      credentials = await register(world, {
        client_name: 'An app with express-openid-connect',
        redirect_uris: [`${url}/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_post',
        backchannel_logout_uri: `${url}/backchannel-logout`,
        backchannel_logout_session_required: true,
      });
      return appAt(world.issuer, url, credentials);
    });
  });

  after(async () => {
    await rp?.stop();
    await world?.stop();
  });

  it('ends its own session, cannot use its refresh token, and sends the next visit to a QR code', async () => {
    const { browser, phone } = await signIn();
    const { sub, refreshToken } = await seenBy(browser.agent);
    expect(sub).to.equal('a11ce');
    const { clientId, clientSecret } = credentials;
    const method = client.ClientSecretPost(clientSecret);
    const execute = [client.allowInsecureRequests];
    const configuration = await client.discovery(new URL(world.issuer), clientId, undefined, method, { execute });
    const fresh = await client.refreshTokenGrant(configuration, String(refreshToken));

    const { browsers } = await ownBrowsers(phone);
    expect(browsers.map(({ clients }) => clients)).to.deep.equal([
      [{ id: clientId, name: 'An app with express-openid-connect', hosts: [new URL(rp.url).host] }],
    ]);
    expect((await signOut(phone, browsers[0]?.id ?? '')).json()).to.deep.equal({ ended: 1, unreached: 0 });

    expect((await browser.agent.get(`${rp.url}/me`)).status).to.equal(401);
    expect(await errorOf(client.refreshTokenGrant(configuration, String(fresh.refresh_token)))).to.equal(
      'invalid_grant',
    );
    const page = await browser.agent.follow(`${rp.url}/login`);
    expect(page.url.origin).to.equal(world.issuer);
    expect(page.text).to.include('data-qr-login');
  });

  async function signIn(): Promise<{ browser: BrowserPerson; phone: PhonePerson }> {
    const browser = new BrowserPerson(world);
    browser.at = (await browser.agent.follow(`${rp.url}/login`)).url.href;
    const phone = await new PhonePerson(world).signIn();
    await phone.scan(await browser.code());
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    const consent = await browser.agent.follow(String(redirectTo));
    const granted = await browser.agent.post(`${consent.url}/consent`, { json: {} });
    await browser.agent.follow(String(granted.json().redirectTo));
    return { browser, phone };
  }

  async function seenBy(agent: Agent): Promise<Record<string, unknown>> {
    return (await agent.get(`${rp.url}/me`)).json();
  }
});

function appAt(issuer: string, url: string, { clientId, clientSecret }: Credentials): express.Express {
  const app = express();
  app.use(
    auth({
      issuerBaseURL: issuer,
      baseURL: url,
      clientID: clientId,
      clientSecret,
      clientAuthMethod: 'client_secret_post',
      secret: 'a long, randomly-generated string',
      authRequired: false,
      authorizationParams: {
        response_type: 'code',
        response_mode: 'query',
        scope: 'openid profile offline_access',
        prompt: 'consent',
      },
      backchannelLogout: { store: newStore() },
    }),
  );
  app.get('/me', (req, res) => {
    if (!req.oidc.isAuthenticated()) res.status(401).end();
    else res.json({ sub: req.oidc.user?.sub, refreshToken: req.oidc.refreshToken });
  });
  return app;
}

type LogoutStore = NonNullable<Exclude<ConfigParams['backchannelLogout'], boolean | undefined>['store']>;

/** Returns a store for the sessions that have ended. The sessions themselves are in cookies. */
function newStore(): LogoutStore {
  const entries = new Map<string, Parameters<LogoutStore['set']>[1]>();
  return {
    get: (id, done) => done(undefined, entries.get(id)),
    set: (id, entry, done) => {
      entries.set(id, entry);
      done?.();
    },
    destroy: (id, done) => {
      entries.delete(id);
      done?.();
    },
  };
}
