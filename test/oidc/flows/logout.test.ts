import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { expect } from 'chai';
import Koa from 'koa';
import { buildEndSessionUrl } from 'openid-client';
import { fieldsIn, finish, RelyingParty, send, signInByQr, withFeatures } from '../../support/relying-party.ts';
import { serve } from '../../support/server.ts';
import { BrowserPerson, PhonePerson, testClient, World } from '../../support/world.ts';

describe('a sign-out of the browser', () => {
  const BYE = 'http://rp.localhost:9/bye';
  let world: World;
  let inbox: { stop: () => Promise<void> };
  let received: string[];

  beforeEach(async () => {
    received = [];
    const app = new Koa().use(async (ctx) => {
      const chunks: Buffer[] = [];
      for await (const chunk of ctx.req) chunks.push(chunk);
      received.push(new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? '');
      ctx.status = 204;
    });
    const running = await serve(() => ({ app }));
    inbox = running;
    const rp = {
      post_logout_redirect_uris: [BYE],
      backchannel_logout_uri: `${running.origin}/backchannel`,
      backchannel_logout_session_required: true,
    };
    world = await World.start({
      clients: [testClient('rp', rp)],
      configuration: {
        ...withFeatures({ backchannelLogout: { enabled: true } }),
        // The provider's own `fetch` refuses loopback addresses.
        fetch: (url, { method, headers, body } = {}) =>
          fetch(url, { ...(method && { method }), ...(headers && { headers }), ...(body && { body }) }),
      },
    });
  });

  afterEach(async () => {
    await world?.stop();
    await inbox?.stop();
  });

  const signInAtRp = async (): Promise<{
    rp: RelyingParty;
    browser: BrowserPerson;
    phone: PhonePerson;
    idToken: string;
    sid: unknown;
  }> => {
    const rp = await RelyingParty.at(world, 'rp');
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn();
    await send(browser, await rp.url());
    const tokens = await rp.tokens(new URL((await signInByQr(browser, phone)).location));
    return { rp, browser, phone, idToken: tokens.id_token ?? '', sid: tokens.claims()?.sid };
  };
  /** Starts a sign-out at the RP and confirms it at the provider. @returns the URL where the browser is sent */
  const signOut = async (rp: RelyingParty, browser: BrowserPerson, idToken: string): Promise<URL> => {
    const parameters = { id_token_hint: idToken, post_logout_redirect_uri: BYE, state: 'of the RP' };
    const asked = await browser.agent.get(buildEndSessionUrl(rp.configuration, parameters));
    const form = { xsrf: fieldsIn(asked.text).xsrf ?? '', logout: 'yes' };
    const left = await browser.agent.post(`${world.issuer}/session/end/confirm`, { form });
    return new URL(left.location);
  };

  it('is started by the RP, and the next sign-in shows a QR code', async () => {
    const { rp, browser, phone, idToken } = await signInAtRp();
    expect((await signOut(rp, browser, idToken)).href).to.equal(`${BYE}?state=of+the+RP`);
    const silent = await browser.goOn(await rp.url({ prompt: 'none' }));
    expect(new URL(silent.location).searchParams.get('error')).to.equal('login_required');
    expect((await send(browser, await rp.url())).text).to.include('data-code><svg');
    const answer = await signInByQr(browser, phone);
    expect((await rp.tokens(new URL(answer.location))).claims()?.sub).to.equal('a11ce');
  });

  it('leaves the phone signed in, and the sign-out of the phone leaves the browser signed in', async () => {
    const one = await signInAtRp();
    await signOut(one.rp, one.browser, one.idToken);
    expect((await one.phone.agent.get(`${world.issuer}/account`)).text).to.include('Hello Alice');
    const two = await signInAtRp();
    await two.phone.signOut();
    const again = await two.browser.goOn(await two.rp.url({ prompt: 'none' }));
    expect((await two.rp.tokens(new URL(again.location))).claims()?.sub).to.equal('a11ce');
  });

  it('allows another account in the next sign-in, once the user has agreed', async () => {
    const { rp, browser, idToken } = await signInAtRp();
    await signOut(rp, browser, idToken);
    await send(browser, await rp.url());
    const bob = await new PhonePerson(world).signIn('bob');
    await bob.scan(await browser.code());
    await bob.approve();
    expect((await browser.ticket()).switchAccount).to.equal(true);
    expect(
      (await rp.tokens(new URL((await finish(browser, { switchAccount: 'yes' })).location))).claims()?.sub,
    ).to.equal('b0b');
  });

  it('sends one back-channel logout token to the RP, with the session id of the ID token', async () => {
    const { rp, browser, phone, idToken, sid } = await signInAtRp();
    await phone.signOut();
    expect(received).to.have.length(0);
    await signOut(rp, browser, idToken);
    expect(received).to.have.length(1);
    expect(sid).to.be.a('string');
    const claims = await verifyLogoutToken(received[0] ?? '');
    expect(claims).to.include({ iss: world.issuer, aud: 'rp', sub: 'a11ce', sid });
    expect(claims.events).to.have.property('http://schemas.openid.net/event/backchannel-logout');
    expect(claims).not.to.have.property('nonce');
  });

  /** Verifies the signature of a logout token and returns its claims (OIDC Back-Channel Logout, section 2.6). */
  const verifyLogoutToken = async (token: string): Promise<Record<string, unknown>> => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { keys } = (await (await fetch(`${world.issuer}/jwks`)).json()) as { keys: JsonWebKey[] };
    const isValid = keys.some((jwk) =>
      verify(
        'RSA-SHA256',
        Buffer.from(`${header}.${payload}`),
        createPublicKey({ key: jwk, format: 'jwk' }),
        Buffer.from(signature, 'base64url'),
      ),
    );
    expect(isValid).to.equal(true);
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  };
});
