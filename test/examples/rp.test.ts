import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { SIGNING_KEY } from '../fixtures/secrets.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { ownBrowsers, signOut } from '../support/own-browsers.ts';
import { type RunningServer, serve } from '../support/server.ts';
import { PhonePerson, World } from '../support/world.ts';

const secret = 'a secret that only the demo RP knows';
const HTML = { headers: { accept: 'text/html' } };
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

describe('the demo RP', () => {
  let world: World;
  let rp: RunningServer;
  let agent: Agent;
  let phone: PhonePerson;

  before(async () => {
    // The provider needs the address of the RP, and the RP needs the address of the provider.
    rp = await serve(async (url) => {
      const qrLogin = { actions: { jwks: { keys: [SIGNING_KEY] } } };
      world = await World.start({ clients: [rpClient({ url, secret })], qrLogin });
      return { app: makeRp({ issuer: world.issuer, url, secret }) };
    });
  });

  beforeEach(async () => {
    agent = new Agent();
    phone = await new PhonePerson(world).signIn();
  });

  after(async () => {
    await rp?.stop();
    await world?.stop();
  });

  const json = async (answer: Promise<Answer>): Promise<Record<string, unknown>> => (await answer).json();
  /** Signs in, up to the RP's page. */
  const signIn = async (): Promise<Answer> => {
    const page = await agent.follow(`${rp.origin}/login`);
    const { qr } = await json(agent.get(`${page.url}/qr`));
    await phone.scan((qr as { url: string }).url);
    await phone.approve();
    const { redirectTo } = await json(agent.post(`${page.url}/qr/finish`, { json: {} }));
    const consent = await agent.follow(String(redirectTo));
    const granted = await json(agent.post(`${consent.url}/consent`, { json: {} }));
    return agent.follow(String(granted.redirectTo));
  };

  it('has a link to sign in', async () => {
    const page = await agent.get(rp.origin);
    expect(page.text).to.include('href="/login"');
  });

  it('signs in by QR code and shows the claims', async () => {
    const page = await signIn();
    expect(page.url.href).to.equal(`${rp.origin}/`);
    expect(page.text).to.include('You are signed in as <b>Alice Liddell</b>');
    expect(page.text).to.include('a11ce').and.to.include('mca');
  });

  it('handles sign-ins in two tabs at the same time, in any order, and accepts each answer once', async () => {
    const tabs = [await agent.follow(`${rp.origin}/login`), await agent.follow(`${rp.origin}/login`)];
    // The tab that began last is cancelled, and the first one continues.
    const [first, second] = tabs;
    const { redirectTo } = await json(agent.post(`${second?.url}/cancel`, { json: {} }));
    expect((await agent.follow(String(redirectTo))).text).to.include('data-error="access_denied"');
    const { qr } = await json(agent.get(`${first?.url}/qr`));
    await phone.scan((qr as { url: string }).url);
    await phone.approve();
    const finished = await json(agent.post(`${first?.url}/qr/finish`, { json: {} }));
    const consent = await agent.follow(String(finished.redirectTo));
    const granted = await json(agent.post(`${consent.url}/consent`, { json: {} }));
    const resumed = await agent.get(String(granted.redirectTo));
    expect(new URL(resumed.location).pathname).to.equal('/callback');
    const page = await agent.follow(resumed.location);
    expect(page.text).to.include('You are signed in as <b>Alice Liddell</b>');
    const again = await agent.follow(resumed.location);
    expect(again.url.pathname).to.equal('/');
    expect(again.text).to.include('You are signed in as <b>Alice Liddell</b>');
  });

  it('also signs out at the provider, and the browser returns', async () => {
    await signIn();
    const asked = await agent.follow(`${rp.origin}/logout`);
    expect(asked.url.href.startsWith(`${world.issuer}/session/end`)).to.equal(true);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    const form = { xsrf, logout: 'yes' };
    const left = await agent.post(`${world.issuer}/session/end/confirm`, { form });
    expect(left.location).to.equal(`${rp.origin}/signed-out`);
    const page = await agent.follow(left.location);
    expect(page.text).to.include('You are signed out, here and at the provider').and.include('href="/login"');
    // The provider has no session for this browser, so it shows a code again.
    expect((await agent.follow(`${rp.origin}/login`)).text).to.include('data-qr-login');
  });

  it('ends the session of the browser that was signed out from the phone, and no other session', async () => {
    const [here, there] = [agent, new Agent()];
    await signIn();
    const [ended] = (await ownBrowsers(phone)).browsers;
    agent = there;
    await signIn();
    expect((await signOut(phone, ended?.id ?? '')).json()).to.deep.equal({ ended: 1, unreached: 0 });
    expect((await here.get(rp.origin)).text).to.include('href="/login"');
    expect((await there.get(rp.origin)).text).to.include('You are signed in as <b>Alice Liddell</b>');
    expect((await here.follow(`${rp.origin}/login`)).text).to.include('data-qr-login');
  });

  it('ends no session because of an invalid logout token (OIDC Back-Channel Logout 1.0, section 2.6)', async () => {
    const { text } = await signIn();
    const [, sid = ''] =
      /&#34;sid&#34;: &#34;([^&]+)&#34;|&quot;sid&quot;: &quot;([^&]+)&quot;/.exec(text)?.filter(Boolean) ?? [];
    expect(sid).not.to.equal('');
    const good = { sid, sub: 'a11ce', jti: 'one', events: { [EVENT]: {} } };
    const now = Math.floor(Date.now() / 1000);
    const wrong: Record<string, Promise<string>> = {
      'no token': Promise.resolve('made up'),
      'of another issuer': logoutToken(good, { issuer: 'https://evil.example' }),
      'for another client': logoutToken(good, { audience: 'another' }),
      'of another kind': logoutToken(good, { typ: 'JWT' }),
      'too old': logoutToken(good, { issuedAt: now - 600 }),
      'without an event': logoutToken({ ...good, events: {} }),
      'with a nonce': logoutToken({ ...good, nonce: 'n' }),
      'without a name': logoutToken({ ...good, jti: undefined }),
      'without a session': logoutToken({ ...good, sid: undefined }),
    };
    const post = async (token: string): Promise<number> =>
      (await new Agent().post(`${rp.origin}/backchannel-logout`, { form: { logout_token: token } })).status;
    for (const [what, token] of Object.entries(wrong)) expect(await post(await token), what).to.equal(400);
    expect((await agent.get(rp.origin)).text).to.include('You are signed in');
    expect(await post(await logoutToken(good))).to.equal(200);
    expect((await agent.get(rp.origin)).text).not.to.include('You are signed in');
  });

  /** Makes a logout token with the provider's key. By default it is valid. */
  const logoutToken = async (
    claims: Record<string, unknown>,
    { issuer = world.issuer, audience = 'demo-rp', typ = 'logout+jwt', issuedAt = Math.floor(Date.now() / 1000) } = {},
  ): Promise<string> => {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', typ })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 900)
      .sign(createPrivateKey({ key: SIGNING_KEY as JsonWebKey, format: 'jwk' }));
  };

  /** Asks for the payment, up to the provider's page with the code. @returns the address of that page */
  const askToPay = async (): Promise<string> => {
    const asked = await agent.post(`${rp.origin}/pay`, { form: {} });
    await agent.get(asked.location, { headers: { accept: 'text/html' } });
    await agent.post(asked.location, { form: {} });
    return asked.location;
  };
  const approvePayment = async (page: string): Promise<void> => {
    const { qr } = await json(agent.get(`${page}/qr`));
    await phone.scan((qr as { url: string }).url);
    expect((await phone.agent.get(phone.at, HTML)).text)
      .to.include('Pay €12.50')
      .and.include('Lighthouse');
    await phone.approve();
  };

  it('accepts a payment once, after the phone has approved', async () => {
    expect((await signIn()).text).to.include('Pay €12.50');
    const page = await askToPay();
    await approvePayment(page);
    const { redirectTo } = await json(agent.post(`${page}/qr/finish`, { json: {} }));
    expect(redirectTo).to.equal(`${rp.origin}/paid`);
    const paid = await agent.follow(String(redirectTo));
    expect(paid.text).to.match(/data-payment="approved">You have paid €12.50 for order-\w+\./);
    const again = await agent.follow(String(redirectTo));
    expect(again.text).to.include('You are signed in').and.not.include('You have paid');
  });

  it('accepts no payment if the phone declines, or if the browser returns too early', async () => {
    await signIn();
    for (const outcome of ['denied', 'waiting']) {
      const page = await askToPay();
      const { qr } = await json(agent.get(`${page}/qr`));
      await phone.scan((qr as { url: string }).url);
      if (outcome === 'denied') await phone.decide('deny');
      const back = await agent.follow(`${rp.origin}/paid`);
      expect(back.text).to.include(`data-payment="${outcome}">You have paid nothing.`);
    }
  });

  it('offers no payment to a user who is not signed in', async () => {
    const answer = await new Agent().post(`${rp.origin}/pay`, { form: {} });
    expect(answer.location).to.equal('/');
  });

  it('shows the error of a cancelled sign-in', async () => {
    const page = await agent.follow(`${rp.origin}/login`);
    const { redirectTo } = await json(agent.post(`${page.url}/cancel`, { json: {} }));
    const refused = await agent.follow(String(redirectTo));
    expect(refused.url.origin).to.equal(rp.origin);
    expect(refused.text).to.include('data-error="access_denied"');
  });

  it('accepts no authorization response that it did not request', async () => {
    const page = await agent.follow(`${rp.origin}/callback?code=made-up&state=made-up`);
    expect(page.text).not.to.include('You are signed in');
    await agent.follow(`${rp.origin}/login`);
    const forged = await agent.get(`${rp.origin}/callback?code=made-up&state=made-up`);
    expect(forged.text).not.to.include('You are signed in');
    expect(forged.status).to.be.below(500);
  });
});
