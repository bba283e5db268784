/**
 * Runs modules of the OpenID Foundation's conformance plan for providers through the QR step. The titles begin with the
 * names of the modules.
 */
import { expect } from 'chai';
import { fetchUserInfo, type IDToken } from 'openid-client';
import { approve, withFeatures } from '../../support/relying-party.ts';
import type { BrowserPerson, PhonePerson } from '../../support/world.ts';
import { BrowserPerson as Browser, World } from '../../support/world.ts';

const HOUR_SECONDS = 3600;

describe('the OpenID conformance plan', () => {
  let world: World;

  before(async () => {
    world = await World.start({ configuration: withFeatures({ claimsParameter: { enabled: true } }) });
  });

  after(() => world?.stop());

  /** Signs in by QR. @returns the claims of the RP's ID token */
  const byQr = async (browser: BrowserPerson, phone: PhonePerson): Promise<IDToken> => {
    await approve(browser, phone);
    return claimsIn(browser, await browser.arrive());
  };
  const claimsIn = async (browser: BrowserPerson, arrived: URL): Promise<IDToken> => {
    const claims = (await browser.tokens(arrived)).claims();
    if (claims === undefined) throw new Error('there is no ID token');
    return claims;
  };
  /** Signs in by QR with a phone that signed in an hour ago. */
  const signInWithOldSession = async (): Promise<{ browser: BrowserPerson; phone: PhonePerson; first: IDToken }> => {
    const { browser, phone } = await world.meet();
    await phone.backdateSignIn(HOUR_SECONDS);
    return { browser, phone, first: await byQr(browser, phone) };
  };
  /** Approves after a new sign-in on the phone, which the request demands. @returns the claims of the ID token */
  const approveAfterNewSignIn = async (browser: BrowserPerson, phone: PhonePerson): Promise<IDToken> => {
    await phone.scan(await browser.code());
    expect((await phone.approve()).json().error).to.equal('sign_in_again');
    await phone.signInAt(String((await phone.look()).json().signInAgain));
    phone.csrf = String((await phone.look()).json().csrf);
    expect((await phone.approve()).status).to.equal(200);
    return claimsIn(browser, await browser.arrive());
  };
  const now = (): number => Math.floor(Date.now() / 1000);

  it('oidcc-prompt-login: the user signs in again, and auth_time is newer', async () => {
    const { browser, phone, first } = await signInWithOldSession();
    const asked = now();
    expect((await browser.start({ prompt: 'login' })).text).to.include('data-code><svg');
    const second = await approveAfterNewSignIn(browser, phone);
    expect(second.sub).to.equal(first.sub);
    expect(first.auth_time).to.be.at.most(asked - HOUR_SECONDS);
    expect(second.auth_time).to.be.at.least(asked);
  });

  it('oidcc-prompt-none-not-logged-in: the RP gets login_required, and no code is shown', async () => {
    const shown = world.count('qr_login.shown');
    const answer = await new Browser(world).start({ prompt: 'none', state: 'of the RP' });
    const { searchParams } = new URL(answer.location);
    expect(Object.fromEntries(searchParams)).to.include({ error: 'login_required', state: 'of the RP' });
    expect(searchParams.has('code')).to.equal(false);
    expect(shown()).to.equal(0);
  });

  it('oidcc-prompt-none-logged-in: the RP gets the same claims again, without a page', async () => {
    const { browser, first } = await signInWithOldSession();
    const second = await claimsIn(browser, new URL((await browser.start({ prompt: 'none' })).location));
    expect(second).to.include({ sub: first.sub, auth_time: first.auth_time, acr: first.acr });
    expect(second.amr).to.deep.equal(first.amr);
  });

  it('oidcc-max-age-1: an older session is not accepted, and auth_time is that of the new sign-in', async () => {
    const { browser, phone, first } = await signInWithOldSession();
    expect((await browser.start({ max_age: '1' })).text).to.include('data-code><svg');
    const second = await approveAfterNewSignIn(browser, phone);
    expect(second.sub).to.equal(first.sub);
    expect(second.auth_time).to.be.greaterThan(Number(first.auth_time));
    expect(now() - Number(second.auth_time)).to.be.at.most(5);
  });

  it('oidcc-max-age-10000: a more recent session is accepted with its auth_time', async () => {
    const { browser, first } = await signInWithOldSession();
    const second = await claimsIn(browser, new URL((await browser.start({ max_age: '10000' })).location));
    expect(second).to.include({ sub: first.sub, auth_time: first.auth_time });
  });

  it("oidcc-max-age-10000: a phone's more recent session is accepted for another browser", async () => {
    const { phone, first } = await signInWithOldSession();
    const browser = new Browser(world);
    await browser.start({ max_age: '10000' });
    expect((await byQr(browser, phone)).auth_time).to.equal(first.auth_time);
  });

  it('oidcc-id-token-hint: the same account is signed in again, without a page', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const { id_token: hint = '' } = await browser.tokens(await browser.arrive());
    const answer = await browser.start({ prompt: 'none', id_token_hint: hint });
    expect((await claimsIn(browser, new URL(answer.location))).sub).to.equal('a11ce');
  });

  it('oidcc-id-token-hint: another browser with the hint accepts only the same account', async () => {
    const { browser, phone } = await world.meet();
    await approve(browser, phone);
    const { id_token: hint = '' } = await browser.tokens(await browser.arrive());
    const other = await world.meet('bob', { id_token_hint: hint });
    const code = await other.browser.code();
    await other.phone.scan(code);
    expect((await other.phone.approve()).json().error).to.equal('wrong_account');
    expect((await phone.scan(code)).status).to.equal(200);
    await phone.approve();
    expect((await claimsIn(other.browser, await other.browser.arrive())).sub).to.equal('a11ce');
  });

  it('oidcc-login-hint: the hint is shown, and the account that approves is signed in', async () => {
    const { browser, phone } = await world.meet('bob', { login_hint: 'alice@example.com' });
    expect((await browser.agent.get(browser.at)).text).to.include('alice@example.com');
    expect((await byQr(browser, phone)).sub).to.equal('b0b');
  });

  it('oidcc-ui-locales: an available language is used on both screens', async () => {
    const { browser, phone } = await world.meet('alice', { ui_locales: 'xx zh-CN en' });
    expect((await browser.agent.get(browser.at)).text).to.include('<html lang="zh" dir="ltr">');
    await phone.scan(await browser.code());
    expect((await phone.agent.follow(phone.at)).text).to.include('<html lang="zh" dir="ltr">');
    await phone.approve();
    expect((await claimsIn(browser, await browser.arrive())).sub).to.equal('a11ce');
  });

  it('oidcc-acr-values: the RP gets the requested class if it is met', async () => {
    const { browser, phone } = await world.meet('alice', { acr_values: 'urn:example:acr:password' });
    expect((await byQr(browser, phone)).acr).to.equal('urn:example:acr:password');
  });

  it('oidcc-claims-essential: the RP gets the claim that it requested by name', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { browser, phone } = await world.meet('alice', { scope: 'openid', claims });
    await approve(browser, phone);
    const { access_token: token } = await browser.tokens(await browser.arrive());
    expect((await fetchUserInfo(await world.configuration(), token, 'a11ce')).name).to.equal('Alice Liddell');
  });

  const HARMLESS: Record<string, Record<string, string>> = {
    'oidcc-ui-locales': { ui_locales: 'se' },
    'oidcc-claims-locales': { claims_locales: 'se' },
    'oidcc-display-page': { display: 'page' },
    'oidcc-display-popup': { display: 'popup' },
    'oidcc-ensure-request-with-acr-values-succeeds': { acr_values: '1 2' },
    'oidcc-ensure-request-with-unknown-parameter-succeeds': { extra: 'foobar' },
    'oidcc-ensure-other-scope-order-succeeds': { scope: 'profile openid' },
  };
  for (const [module, parameters] of Object.entries(HARMLESS)) {
    it(`${module}: ${new URLSearchParams(parameters)} does no harm`, async () => {
      const { browser, phone } = await world.meet('alice', parameters);
      expect((await browser.agent.get(browser.at)).text).to.include('data-code><svg');
      expect(await byQr(browser, phone)).to.include({ sub: 'a11ce', acr: 'urn:example:acr:password' });
    });
  }
});
