import { expect } from 'chai';
import { OTHER_APP, phoneApp } from '../fixtures/phone-app.ts';
import { PASSWORD_ACR } from '../fixtures/sign-in-page.ts';
import { AppPerson } from '../support/app.ts';
import { PhonePerson, World } from '../support/world.ts';
import { backdateAppSignIn, meetApp, phoneOf, revokeGrant } from './app-phone.ts';
import { errorOf } from './errors.ts';

const CONFIGURATION = { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } };

describe('an app with the library', () => {
  let world: World;

  before(async () => {
    world = await World.start({ clients: [phoneApp(OTHER_APP)], configuration: CONFIGURATION });
  });

  after(() => world?.stop());

  it('signs a browser in, and sees each step of the sign-in', async () => {
    const { browser, phone } = await meetApp(world);
    const ticket = await phone.scan(await browser.code());
    expect(ticket.asked).to.deep.include({
      client: { id: 'test-rp', name: 'Test app', host: 'rp.localhost:9' },
      browser: { name: 'Chrome', system: 'Windows' },
      account: { name: 'Alice Liddell' },
    });
    const states: string[] = [];
    for await (const { state } of ticket.watch()) {
      states.push(state);
      if (state === 'scanned') await ticket.approve();
      if (state === 'approved') expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    }
    expect(states).to.deep.equal(['scanned', 'approved', 'finished']);
  });

  it('can deny, and the browser gets the denial', async () => {
    const { browser, phone } = await meetApp(world);
    const ticket = await phone.scan(await browser.code());
    expect(await ticket.deny()).to.include({ state: 'denied', reason: 'person' });
    expect((await browser.ticket()).state).to.equal('denied');
    expect(await errorOf(ticket.approve())).to.include({ code: 'wrong_state', reason: 'denied', action: 'stop' });
  });

  it('can report even after the browser was signed in, which signs the browser out', async () => {
    const { browser, phone } = await meetApp(world, { name: 'bob' });
    const ticket = await phone.scan(await browser.code());
    await ticket.approve();
    await browser.arrive();
    expect(await world.sessionOf(browser.agent)).to.have.property('accountId', 'b0b');
    expect(await ticket.report()).to.include({ state: 'denied', reason: 'report' });
    expect(await world.sessionOf(browser.agent)).to.equal(undefined);
  });

  it('continues with a ticket after a restart of the app', async () => {
    const { browser, app, phone } = await meetApp(world);
    const { id } = await phone.scan(await browser.code());
    const ticket = await (await phoneOf(app)).ticket(id);
    expect(ticket.asked.state).to.equal('scanned');
    expect((await ticket.approve()).state).to.equal('approved');
  });

  it('is told when the browser renews its code', async () => {
    const { browser, phone } = await meetApp(world);
    const ticket = await phone.scan(await browser.code());
    const views = ticket.watch();
    await views.next();
    const next = views.next();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    expect((await next).value).to.include({ state: 'cancelled', reason: 'renewed' });
    expect((await views.next()).done).to.equal(true);
    expect(await errorOf(ticket.approve())).to.include({ code: 'over', reason: 'renewed', action: 'scan' });
  });

  it('refreshes its token automatically', async () => {
    const { browser, app, phone } = await meetApp(world);
    const { accessToken } = app;
    const ticket = await phone.scan(await browser.code());
    const token = await world.provider.AccessToken.find(accessToken);
    await token?.destroy();
    expect((await ticket.approve()).state).to.equal('approved');
    expect(app.accessToken).not.to.equal(accessToken);
  });

  it('must sign in again if the request demands it, and continues with the same ticket', async () => {
    const { browser, app, phone } = await meetApp(world, { parameters: { prompt: 'login' } });
    await backdateAppSignIn(world, app, 60);
    const ticket = await phone.scan(await browser.code());
    expect(ticket.asked.requirement).to.deep.equal({ kind: 'freshness', maxAge: 0 });
    const error = await errorOf(ticket.approve());
    expect(error).to.include({ code: 'insufficient_user_authentication', action: 'step_up', status: 401 });
    expect(error.requirement).to.include({ maxAge: 0 });
    await app.signIn('alice', { max_age: '0' });
    expect((await ticket.refresh()).requirement).to.equal(undefined);
    expect((await ticket.approve()).state).to.equal('approved');
    expect((await browser.tokens(await browser.arrive(), { maxAge: 10 })).claims()?.sub).to.equal('a11ce');
  });

  it('is told which acr is demanded, and can decline if it cannot meet that', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:example:acr:passkey'] } } });
    const { browser, phone } = await meetApp(world, { parameters: { claims } });
    const ticket = await phone.scan(await browser.code());
    expect(ticket.asked.requirement).to.deep.equal({ kind: 'acr', acrValues: ['urn:example:acr:passkey'] });
    const { requirement } = await errorOf(ticket.approve());
    expect(requirement?.acrValues).to.deep.equal(['urn:example:acr:passkey']);
    expect(await ticket.unable()).to.include({ state: 'denied', reason: 'acr' });
  });

  it('can approve a request for the acr of its sign-in', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: PASSWORD_ACR } } });
    const { browser, phone } = await meetApp(world, { parameters: { claims } });
    await (await phone.scan(await browser.code())).approve();
    expect((await browser.tokens(await browser.arrive())).claims()?.acr).to.equal(PASSWORD_ACR);
  });

  it('cannot approve once its grant is revoked, and is told to sign in', async () => {
    const { browser, app, phone } = await meetApp(world);
    const ticket = await phone.scan(await browser.code());
    await revokeGrant(world, app);
    const fixed = await phoneOf(app, { accessToken: app.accessToken });
    expect(await errorOf(fixed.ticket(ticket.id))).to.include({
      code: 'invalid_token',
      action: 'sign_in',
      status: 401,
    });
    expect((await browser.ticket()).state).to.equal('scanned');
  });

  it('loses its approval if its grant is revoked before the browser finishes', async () => {
    const { browser, app, phone } = await meetApp(world);
    await (await phone.scan(await browser.code())).approve();
    await revokeGrant(world, app);
    expect((await browser.finish()).status).not.to.equal(200);
    expect((await world.sessionOf(browser.agent))?.accountId).to.equal(undefined);
  });

  it('lists the browsers of its account, and signs them out', async () => {
    const { browser, phone } = await meetApp(world);
    const code = await browser.code();
    await (await phone.scan(code)).approve();
    await browser.arrive();
    const [latest] = await phone.browsers();
    expect(latest).to.deep.include({ name: 'Chrome', system: 'Windows' });
    expect(latest?.clients).to.deep.equal([{ id: 'test-rp', name: 'Test app', hosts: ['rp.localhost:9'] }]);
    await latest?.signOut();
    expect(await world.sessionOf(browser.agent)).to.equal(undefined);
    expect((await phone.browsers()).map(({ id }) => id)).not.to.include(latest?.id);
    expect(await errorOf(Promise.resolve(latest?.signOut()))).to.include({ code: 'not_found', status: 404 });
    await phone.signOutBrowsers();
    // The session in which the app was granted its access stays.
    expect((await phone.browsers()).map(({ isHere, signedInBy }) => [isHere, signedInBy])).to.deep.equal([
      [true, 'password'],
    ]);
  });

  it('cannot do anything once its account is deleted', () =>
    World.during({}, async (other) => {
      const { browser, phone } = await meetApp(other, { name: 'bob' });
      const code = await browser.code();
      const ticket = await phone.scan(code);
      other.accounts.remove('b0b');
      const calls = [() => phone.scan(code), () => ticket.refresh(), () => ticket.approve(), () => phone.browsers()];
      for (const call of calls) {
        const error = await errorOf(call());
        expect(error.status).to.be.oneOf([401, 403]);
        expect(error.action).to.be.oneOf(['sign_in', 'stop']);
      }
      expect((await browser.ticket()).state).to.equal('scanned');
    }));

  it('loses its approval if the account is deleted before the browser finishes', () =>
    World.during({}, async (other) => {
      const { browser, phone } = await meetApp(other, { name: 'bob' });
      await (await phone.scan(await browser.code())).approve();
      other.accounts.remove('b0b');
      expect((await browser.finish()).status).to.equal(403);
    }));

  it('owns its ticket, so that another app of the account is told to decide elsewhere', async () => {
    const { browser, phone } = await meetApp(world);
    const other = await phoneOf(await new AppPerson(world, { clientId: OTHER_APP }).signIn('alice'));
    const code = await browser.code();
    const ticket = await phone.scan(code);
    expect(await errorOf(other.scan(code))).to.include({ code: 'wrong_state', reason: 'elsewhere', action: 'stop' });
    expect(await errorOf(other.ticket(ticket.id))).to.include({ code: 'wrong_state', reason: 'elsewhere' });
    const stranger = await phoneOf(await new AppPerson(world).signIn('bob'));
    expect(await errorOf(stranger.scan(code))).to.include({ code: 'not_found', action: 'scan' });
    expect((await ticket.approve()).state).to.equal('approved');
  });

  it('locks out the page of a phone that scans later, and is locked out by a page that scanned first', async () => {
    const { browser, phone } = await meetApp(world);
    const code = await browser.code();
    const ticket = await phone.scan(code);
    const page = await new PhonePerson(world).signIn('alice');
    expect((await page.scan(code)).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    await ticket.approve();
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');

    const later = await meetApp(world);
    const laterCode = await later.browser.code();
    expect((await page.scan(laterCode)).status).to.equal(200);
    expect(await errorOf(later.phone.scan(laterCode))).to.include({ reason: 'elsewhere' });
    expect((await page.approve()).status).to.equal(200);
  });

  it('refuses the code of another provider without a request to either provider', () =>
    World.during({}, async (other) => {
      const { browser } = await meetApp(other);
      const { phone } = await meetApp(world);
      const code = await browser.code();
      expect(await errorOf(phone.scan(code))).to.include({ code: 'foreign_code', action: 'scan' });
      expect((await browser.ticket()).state).to.equal('waiting');
    }));
});
