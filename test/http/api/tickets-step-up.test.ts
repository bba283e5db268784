import { expect } from 'chai';
import { PASSKEY_ACR } from '../../fixtures/sign-in-page.ts';
import { AppPerson } from '../../support/app.ts';
import { eventually } from '../../support/until.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const nowInSeconds = (): number => Math.floor(Date.now() / 1000);

/** Waits for the next second, because `auth_time` has whole seconds. */
async function nextSecond(): Promise<void> {
  const now = nowInSeconds();
  await eventually('the next second', () => nowInSeconds() > now);
}

async function showCode(world: World, parameters: Record<string, string> = {}): Promise<BrowserPerson> {
  const browser = new BrowserPerson(world);
  await browser.start(parameters);
  return browser;
}

const configuration = {
  features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true }, revocation: { enabled: true } },
};

describe('an app whose sign-in does not meet the request', () => {
  let world: World;

  before(async () => {
    world = await World.start({ configuration });
  });

  after(() => world?.stop());

  for (const [parameters, maxAge] of [
    [{ prompt: 'login' }, 0],
    [{ max_age: '1' }, 1],
  ] as const) {
    it(`is told to sign in again for ${JSON.stringify(parameters)}, and then continues with the same ticket`, async () => {
      const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world, parameters)];
      await nextSecond();
      await nextSecond();
      const scanned = await app.scan(await browser.code());
      expect(scanned.json().requirement).to.deep.equal({ kind: 'freshness', maxAge });
      const refused = await app.approve();
      expect(refused.status).to.equal(401);
      expect(refused.json().error).to.equal('insufficient_user_authentication');
      expect(refused.headers.get('www-authenticate')).to.include(`error="insufficient_user_authentication"`);
      expect(refused.headers.get('www-authenticate')).to.include(`max_age="${maxAge}"`);
      await app.refresh();
      expect((await app.approve()).json().error).to.equal('insufficient_user_authentication');
      await nextSecond();
      await app.signIn('alice', { prompt: 'login consent', max_age: `${maxAge}` });
      const looked = await app.look();
      expect(looked.json()).to.include({ state: 'scanned' }).and.not.to.have.property('requirement');
      expect((await app.approve()).json().state).to.equal('approved');
      expect((await browser.tokens(await browser.arrive())).claims()?.auth_time).to.be.within(
        nowInSeconds() - 5,
        nowInSeconds(),
      );
    });
  }

  it('can approve after a sign-in that created another grant', async () => {
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world, { prompt: 'login' })];
    await app.scan(await browser.code());
    await nextSecond();
    app.forgetTab();
    await app.signIn();
    expect((await app.approve()).json().state).to.equal('approved');
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
  });

  it('cannot meet prompt=login with another sign-in from before the scan', async () => {
    const app = await new AppPerson(world).signIn();
    const older = app.accessToken;
    await nextSecond();
    app.forgetTab();
    await app.signIn();
    const newer = app.accessToken;
    await nextSecond();
    for (const [first, second] of [
      [older, newer],
      [newer, older],
    ] as const) {
      const browser = await showCode(world, { prompt: 'login' });
      app.accessToken = first;
      await app.scan(await browser.code());
      app.accessToken = second;
      expect((await app.approve()).json().error).to.equal('insufficient_user_authentication');
    }
  });

  it('is told the required acr, and can decline if it cannot meet that', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: PASSKEY_ACR } } });
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world, { claims })];
    const scanned = await app.scan(await browser.code());
    expect(scanned.json().requirement).to.deep.equal({ kind: 'acr', acrValues: [PASSKEY_ACR] });
    const refused = await app.approve();
    expect(refused.headers.get('www-authenticate')).to.include(`acr_values="${PASSKEY_ACR}"`);
    expect((await app.decide('unable')).json()).to.include({ state: 'denied', reason: 'acr' });
    const { redirectTo } = (await browser.finish()).json();
    const arrived = await browser.goOn(`${redirectTo}`);
    expect(new URL(arrived.location).searchParams.get('error')).to.equal('unmet_authentication_requirements');
  });

  it('is told that the request asks for another account', async () => {
    const claims = JSON.stringify({ id_token: { sub: { value: 'b0b' } } });
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world, { claims, login_hint: 'bob' })];
    const code = await browser.code();
    expect((await app.scan(code)).json().requirement).to.deep.equal({ kind: 'account', loginHint: 'bob' });
    expect((await app.approve()).json().error).to.equal('wrong_account');
    const bob = await new AppPerson(world).signIn('bob');
    expect((await bob.scan(code)).status).to.equal(201);
    expect((await app.look()).status).to.equal(404);
    expect((await bob.approve()).json().state).to.equal('approved');
  });

  it('has to sign in with a password if it was itself signed in by QR', async () => {
    const [first, signedIn] = [await new AppPerson(world).signIn(), await showCode(world)];
    await first.scan(await signedIn.code());
    await first.approve();
    await signedIn.arrive();
    const app = await new AppPerson(world, { tab: signedIn.agent }).signIn();
    const browser = await showCode(world);
    expect((await app.scan(await browser.code())).json().requirement).to.deep.equal({ kind: 'local', maxAge: 0 });
    const refused = await app.approve();
    expect(refused.json().error).to.equal('insufficient_user_authentication');
    expect(refused.headers.get('www-authenticate')).to.include('max_age="0"');
    await app.signIn('alice', { prompt: 'login consent' });
    expect((await app.approve()).json().state).to.equal('approved');
  });
});
