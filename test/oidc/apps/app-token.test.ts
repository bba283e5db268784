import { expect } from 'chai';
import { OTHER_APP, phoneApp } from '../../fixtures/phone-app.ts';
import { PASSWORD_ACR } from '../../fixtures/sign-in-page.ts';
import { AppPerson } from '../../support/app.ts';
import { eventually } from '../../support/until.ts';
import { BrowserPerson, World } from '../../support/world.ts';

const nowInSeconds = (): number => Math.floor(Date.now() / 1000);

/** Waits for the next second, because `auth_time` has whole seconds. */
async function nextSecond(): Promise<void> {
  const now = nowInSeconds();
  await eventually('the next second', () => nowInSeconds() > now);
}

async function showCode(world: World): Promise<BrowserPerson> {
  const browser = new BrowserPerson(world);
  await browser.start();
  return browser;
}

describe('the token of an app', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clients: [phoneApp(OTHER_APP)] });
  });

  after(() => world?.stop());

  it('can be refreshed, and keeps the time of the sign-in', async () => {
    const app = await new AppPerson(world).signIn();
    const before = (await world.provider.AccessToken.find(app.accessToken))?.extra;
    const signedInAt = before?.auth_time;
    expect(signedInAt).to.be.within(nowInSeconds() - 5, nowInSeconds());
    expect(before)
      .to.include({ acr: PASSWORD_ACR })
      .and.to.deep.include({ amr: ['pwd'] });
    await nextSecond();
    await app.refresh();
    expect((await world.provider.AccessToken.find(app.accessToken))?.extra).to.deep.equal(before);
    const browser = await showCode(world);
    await app.scan(await browser.code());
    await app.refresh();
    expect((await app.approve()).json().state).to.equal('approved');
    const claims = (await browser.tokens(await browser.arrive())).claims();
    expect(claims).to.include({ auth_time: signedInAt, acr: PASSWORD_ACR });
    expect(claims?.amr).to.have.members(['pwd', 'mca', 'user']);
  });

  it('cannot approve if it is revoked after the scan', async () => {
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world)];
    await app.scan(await browser.code());
    await app.revoke();
    const refused = await app.approve();
    expect(refused.status).to.equal(401);
    expect(refused.headers.get('www-authenticate')).to.match(/^DPoP error="invalid_token"/);
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('makes the approval void if it is revoked after Approve', async () => {
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world)];
    await app.scan(await browser.code());
    await app.approve();
    await app.revoke();
    const finished = await browser.finish();
    expect(finished.status).to.equal(403);
    expect(finished.json()).to.include({ error: 'account_unavailable', reason: 'signed-out' });
  });

  it('stops the browser from resuming if it is revoked after the browser has finished', async () => {
    const [app, browser] = [await new AppPerson(world).signIn(), await showCode(world)];
    await app.scan(await browser.code());
    await app.approve();
    const { redirectTo } = (await browser.finish()).json();
    await app.revoke();
    const answer = await browser.goOn(`${redirectTo}`);
    expect(new URL(answer.location).searchParams.get('error')).to.equal('access_denied');
  });

  it('has no effect once its account is deleted, even after Approve', async () => {
    await World.during({}, async (own) => {
      const [app, browser] = [await new AppPerson(own).signIn('bob'), await showCode(own)];
      await app.scan(await browser.code());
      const late = await showCode(own);
      const other = await new AppPerson(own).signIn('bob');
      await other.scan(await late.code());
      await other.approve();
      own.accounts.remove('b0b');
      expect((await app.approve()).json().error).to.equal('account_unavailable');
      expect((await late.finish()).json().error).to.equal('account_unavailable');
    });
  });

  it('has no effect without offline access once the session in which it was granted has ended, even after Approve', async () => {
    const app = await new AppPerson(world).signIn('alice', { scope: 'openid qr_login', prompt: 'login' });
    const browser = await showCode(world);
    await app.scan(await browser.code());
    await app.approve();
    const { sessionUid = '' } = (await world.provider.AccessToken.find(app.accessToken)) ?? {};
    await (await world.provider.Session.findByUid(sessionUid))?.destroy();
    expect((await app.look()).json().error).to.equal('invalid_token');
    expect((await browser.finish()).json().error).to.equal('account_unavailable');
  });

  it('cannot approve a ticket that another app of the same account has scanned', async () => {
    const [one, other] = [
      await new AppPerson(world).signIn(),
      await new AppPerson(world, { clientId: OTHER_APP }).signIn(),
    ];
    const [left, right] = [await showCode(world), await showCode(world)];
    await one.scan(await left.code());
    await other.scan(await right.code());
    const [mine, theirs] = [one.at, other.at];
    one.at = theirs;
    expect((await one.approve()).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    one.at = mine;
    expect((await one.approve()).json().state).to.equal('approved');
    expect((await other.approve()).json().state).to.equal('approved');
  });

  it('is accepted only if the option apps.clients and assureApp() allow its app', async () => {
    const seen: unknown[] = [];
    const qrLogin = {
      apps: { clients: [OTHER_APP] },
      assureApp: (_ctx: unknown, app: unknown) => seen.push(app) > 1,
    };
    await World.during({ clients: [phoneApp(OTHER_APP)], qrLogin }, async (own) => {
      const [one, other] = [
        await new AppPerson(own).signIn(),
        await new AppPerson(own, { clientId: OTHER_APP }).signIn(),
      ];
      expect((await one.request('GET', '/qr/api/browsers')).json().error).to.equal('app_refused');
      expect(seen).to.deep.equal([]);
      const refused = await other.request('GET', '/qr/api/browsers');
      expect([refused.status, refused.json().error]).to.deep.equal([403, 'app_refused']);
      expect(seen).to.deep.equal([{ clientId: OTHER_APP, keyId: await other.keyId(), accountId: 'a11ce' }]);
      expect((await other.request('GET', '/qr/api/browsers')).status).to.equal(200);
    });
  });
});
