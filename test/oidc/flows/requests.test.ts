import { expect } from 'chai';
import type { JWK } from 'oidc-provider';
import {
  buildAuthorizationUrlWithJAR,
  buildAuthorizationUrlWithPAR,
  type CryptoKey,
  fetchUserInfo,
} from 'openid-client';
import { errorOf, finish, RelyingParty, send, signInByQr, withFeatures } from '../../support/relying-party.ts';
import { BrowserPerson, PhonePerson, testClient, World } from '../../support/world.ts';

const HOUR_SECONDS = 3600;

describe('a request that reaches the QR step', () => {
  let world: World;
  let signingKey: CryptoKey;

  before(async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    signingKey = privateKey;
    const key = { ...(await crypto.subtle.exportKey('jwk', publicKey)), use: 'sig', alg: 'ES256' } as JWK;
    world = await World.start({
      clients: [
        testClient('plain-rp'),
        testClient('par-rp', { client_name: 'Pushing app', require_pushed_authorization_requests: true }),
        testClient('jar-rp', {
          client_name: 'Signing app',
          jwks: { keys: [key] },
          request_object_signing_alg: 'ES256',
          require_signed_request_object: true,
        }),
      ],
      configuration: withFeatures({
        pushedAuthorizationRequests: { enabled: true },
        requestObjects: { enabled: true },
        claimsParameter: { enabled: true },
      }),
    });
  });

  after(() => world?.stop());

  const meet = async (clientId: string): Promise<{ rp: RelyingParty; browser: BrowserPerson; phone: PhonePerson }> => ({
    rp: await RelyingParty.at(world, clientId),
    browser: new BrowserPerson(world),
    phone: await new PhonePerson(world).signIn(),
  });
  /** Asserts that the phone may approve only after a new sign-in. */
  const assertFreshness = async (browser: BrowserPerson, phone: PhonePerson): Promise<void> => {
    await phone.backdateSignIn(HOUR_SECONDS);
    await phone.scan(await browser.code());
    expect((await phone.approve()).json().error).to.equal('sign_in_again');
    await phone.signInAt(String((await phone.look()).json().signInAgain));
    phone.csrf = String((await phone.look()).json().csrf);
    expect((await phone.approve()).status).to.equal(200);
  };

  it('may have been pushed (RFC 9126), and the phone shows the pushed parameters', async () => {
    const { rp, browser, phone } = await meet('par-rp');
    const url = await buildAuthorizationUrlWithPAR(
      rp.configuration,
      await rp.parameters({ login_hint: 'al@x.example' }),
    );
    expect([...url.searchParams.keys()]).to.have.members(['client_id', 'request_uri']);
    const page = await send(browser, url);
    expect(page.text).to.include('Sign in to Pushing app').and.to.include('al@x.example');
    const answer = await signInByQr(browser, phone);
    expect((await phone.look()).json()).to.deep.include({
      client: { id: 'par-rp', name: 'Pushing app', host: 'rp.localhost:9' },
      scopes: ['openid', 'profile'],
    });
    expect((await rp.tokens(new URL(answer.location))).claims()).to.include({ sub: 'a11ce', aud: 'par-rp' });
  });

  it('may have been pushed with requirements, which the phone must meet', async () => {
    const { rp, browser, phone } = await meet('par-rp');
    const parameters = await rp.parameters({ max_age: '600' });
    await send(browser, await buildAuthorizationUrlWithPAR(rp.configuration, parameters));
    const asked = Math.floor(Date.now() / 1000);
    await assertFreshness(browser, phone);
    const tokens = await rp.tokens(new URL((await finish(browser)).location), { maxAge: 600 });
    expect(Number(tokens.claims()?.auth_time)).to.be.at.least(asked);
  });

  it('may be a signed object (RFC 9101), and parameters outside of the object do not count', async () => {
    const { rp, browser, phone } = await meet('jar-rp');
    const parameters = await rp.parameters({ login_hint: 'signed@x.example' });
    const url = await buildAuthorizationUrlWithJAR(rp.configuration, parameters, signingKey);
    url.searchParams.set('login_hint', 'beside@x.example');
    url.searchParams.set('scope', 'openid email');
    const page = await send(browser, url);
    expect(page.text).to.include('Sign in to Signing app').and.to.include('signed@x.example');
    expect(page.text).not.to.include('beside@x.example');
    const answer = await signInByQr(browser, phone);
    expect((await phone.look()).json().scopes).to.deep.equal(['openid', 'profile']);
    expect((await rp.tokens(new URL(answer.location))).claims()).to.include({ sub: 'a11ce', aud: 'jar-rp' });
  });

  it('may be a signed object with requirements, which the phone must meet', async () => {
    const { rp, browser, phone } = await meet('jar-rp');
    const parameters = await rp.parameters({ prompt: 'login' });
    await send(browser, await buildAuthorizationUrlWithJAR(rp.configuration, parameters, signingKey));
    await assertFreshness(browser, phone);
    expect((await rp.tokens(new URL((await finish(browser)).location))).claims()?.sub).to.equal('a11ce');
  });

  it('may be a signed object that was pushed', async () => {
    const { rp, browser, phone } = await meet('jar-rp');
    const signed = await buildAuthorizationUrlWithJAR(rp.configuration, await rp.parameters(), signingKey);
    const request = signed.searchParams.get('request') ?? '';
    await send(browser, await buildAuthorizationUrlWithPAR(rp.configuration, { request }));
    const answer = await signInByQr(browser, phone);
    expect((await rp.tokens(new URL(answer.location))).claims()?.sub).to.equal('a11ce');
  });

  it('may request claims, which the consent page lists and the RP gets', async () => {
    const { rp, browser, phone } = await meet('plain-rp');
    const claims = JSON.stringify({ userinfo: { email: null }, id_token: { auth_time: { essential: true } } });
    await send(browser, await rp.url({ scope: 'openid', claims }));
    await phone.scan(await browser.code());
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    const consent = await browser.goOn(String(redirectTo));
    expect(consent.text).to.include('see your email address');
    const granted = await browser.agent.post(`${consent.url}/consent`, { json: {} });
    const arrived = await browser.goOn(String(granted.json().redirectTo));
    const tokens = await rp.tokens(new URL(arrived.location));
    expect((await fetchUserInfo(rp.configuration, tokens.access_token, 'a11ce')).email).to.equal('alice@example.com');
  });

  it('may demand a subject by a claim, and the phone must have that account', async () => {
    const { rp, browser, phone } = await meet('plain-rp');
    await send(browser, await rp.url({ claims: JSON.stringify({ id_token: { sub: { value: 'b0b' } } }) }));
    const code = await browser.code();
    await phone.scan(code);
    expect((await phone.approve()).json().error).to.equal('wrong_account');
    const bob = await new PhonePerson(world).signIn('bob');
    await bob.scan(code);
    await bob.approve();
    expect((await rp.tokens(new URL((await finish(browser)).location))).claims()?.sub).to.equal('b0b');
  });

  it('is bound to its RP by PKCE, and another verifier redeems no tokens', async () => {
    const { rp, browser, phone } = await meet('plain-rp');
    await send(browser, await rp.url());
    const arrived = new URL((await signInByQr(browser, phone)).location);
    const other = rp.tokens(arrived, { pkceCodeVerifier: 'another-verifier-that-is-long-enough-to-be-one' });
    expect(await errorOf(other)).to.equal('invalid_grant');
  });
});
