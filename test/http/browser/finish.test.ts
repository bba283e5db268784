import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { type BrowserPerson, RP_CALLBACK, World } from '../../support/world.ts';

describe('a request of the browser:', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const post = (browser: BrowserPerson, path: string): Promise<Answer> =>
    browser.agent.post(`${browser.at}${path}`, { json: {} });
  const submit = (browser: BrowserPerson, path: string): Promise<Answer> =>
    browser.agent.post(`${browser.at}${path}`, { form: {} });
  /** Follows the redirects to the RP. @returns the parameters that the RP gets */
  const paramsAtRp = async (browser: BrowserPerson, redirectTo: string): Promise<Record<string, string>> => {
    const { location } = await browser.goOn(redirectTo);
    expect(location.startsWith(`${RP_CALLBACK}?`)).to.equal(true);
    return Object.fromEntries(new URL(location).searchParams);
  };

  describe('finish', () => {
    it('answers scripts with the next URL, and redirects forms to it', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      const script = await browser.finish();
      expect(script.status).to.equal(200);
      expect(script.json()).to.deep.equal({ redirectTo: `${world.issuer}/auth/${browser.uid}` });
      const form = await submit(browser, '/qr/finish');
      expect(form.status).to.equal(303);
      expect(form.location).to.equal(script.json().redirectTo);
    });

    it('is refused before the phone has approved, and changes nothing', async () => {
      const { browser, phone } = await world.meet();
      const early = await browser.finish();
      expect(early.status).to.equal(409);
      expect(early.json().error).to.equal('wrong_state');
      await phone.scan(await browser.code());
      const late = await submit(browser, '/qr/finish');
      expect(late.status).to.equal(409);
      expect(late.headers.get('content-type')).to.match(/^text\/html/);
      expect((await browser.ticket()).state).to.equal('scanned');
    });

    it('is refused once the approval has expired', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      world.clock.forward(121);
      const answer = await browser.finish();
      expect(answer.status).to.equal(410);
      expect(answer.json().error).to.equal('over');
    });

    it('gives the same answer again if the first was lost', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      const first = await browser.finish();
      const second = await browser.finish();
      expect(second.text).to.equal(first.text);
      expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('a11ce');
    });

    it('gives the browser a new session', async () => {
      const { browser, phone } = await world.meet();
      const session = async (): Promise<string | undefined> =>
        (await browser.agent.jar.getCookies(world.issuer)).find(({ key }) => key === '_session')?.value;
      const before = await session();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.arrive();
      const after = await session();
      expect(after).to.be.a('string').and.not.equal(before);
      expect(after).not.to.equal(
        (await phone.agent.jar.getCookies(world.issuer)).find(({ key }) => key === '_session')?.value,
      );
    });
  });

  describe('after a denial on the phone,', () => {
    it('finish sends access_denied to the RP', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.deny()).json().state).to.equal('denied');
      const { redirectTo } = (await browser.finish()).json();
      const { state, ...answer } = await paramsAtRp(browser, String(redirectTo));
      expect(answer).to.include({ error: 'access_denied', iss: world.issuer });
      expect(state).to.be.a('string');
    });

    it('finish redirects forms to the RP with access_denied', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.deny();
      const form = await submit(browser, '/qr/finish');
      expect(form.status).to.equal(303);
      expect(await paramsAtRp(browser, form.location)).to.include({ error: 'access_denied' });
    });

    it('a later approval is refused, and a later scan shows the denial', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      await phone.scan(code);
      await phone.deny();
      expect((await phone.approve()).status).to.equal(409);
      expect((await phone.scan(code)).status).to.equal(200);
      expect((await phone.look()).json()).to.include({ state: 'denied', because: 'person' });
      expect((await browser.ticket()).state).to.equal('denied');
    });
  });

  describe('cancel', () => {
    it('sends access_denied to the RP, with the state of its request', async () => {
      const { browser } = await world.meet();
      const answer = await post(browser, '/cancel');
      expect(answer.status).to.equal(200);
      const { redirectTo } = answer.json();
      const arrived = await paramsAtRp(browser, String(redirectTo));
      expect(arrived).to.include({ error: 'access_denied' });
      expect(arrived.state).to.be.a('string');
    });

    it('redirects forms to the RP', async () => {
      const { browser } = await world.meet();
      const form = await submit(browser, '/cancel');
      expect(form.status).to.equal(303);
      expect(await paramsAtRp(browser, form.location)).to.include({ error: 'access_denied' });
    });

    it('ends a ticket that the phone has scanned', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await post(browser, '/cancel');
      expect((await phone.look()).status).to.equal(410);
      expect((await phone.approve()).status).to.equal(410);
      expect((await browser.ticket()).state).to.equal('cancelled');
    });
  });

  describe('renew', () => {
    it('answers scripts with the new ticket, and redirects forms to the page', async () => {
      const { browser } = await world.meet();
      const code = await browser.code();
      const script = await post(browser, '/qr/renew');
      expect(script.status).to.equal(200);
      expect(script.json()).to.include({ state: 'waiting' });
      expect(await browser.code()).not.to.equal(code);
      const form = await submit(browser, '/qr/renew');
      expect(form.status).to.equal(303);
      expect(form.location).to.equal(new URL(browser.at).pathname);
    });

    it('creates a new ticket after the old one has expired', async () => {
      const { browser, phone } = await world.meet();
      world.clock.forward(121);
      expect((await browser.ticket()).state).to.equal('expired');
      await post(browser, '/qr/renew');
      expect((await phone.scan(await browser.code())).status).to.equal(200);
    });

    it('does not change a ticket that another tab has renewed already', async () => {
      const { browser } = await world.meet();
      const { version } = await browser.ticket();
      const renew = (known: unknown): Promise<Answer> =>
        browser.agent.post(`${browser.at}/qr/renew`, { json: { version: `${known}` } });
      const first = (await renew(version)).json();
      const second = (await renew(version)).json();
      expect(first.state).to.equal('waiting');
      expect(second.version).to.equal(first.version);
      expect((await renew('abc')).status).to.equal(400);
      expect((await browser.ticket()).version).to.equal(first.version);
    });

    it('cancels an approval', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await post(browser, '/qr/renew');
      expect((await phone.look()).status).to.equal(410);
      expect((await browser.finish()).status).to.equal(409);
    });

    it('is refused once the ticket is used', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.approve();
      await browser.finish();
      expect((await post(browser, '/qr/renew')).status).to.equal(409);
      expect((await browser.ticket()).state).to.equal('redeemed');
    });
  });

  it('a reload of the page shows the same ticket, and a new ticket after the first has expired', async () => {
    const { browser } = await world.meet();
    const shown = world.count('qr_login.shown');
    await browser.agent.get(browser.at);
    expect(shown()).to.equal(0);
    world.clock.forward(121);
    await browser.agent.get(browser.at);
    expect(shown()).to.equal(1);
    expect((await browser.ticket()).state).to.equal('waiting');
  });
});
