import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { type BrowserPerson, RP_CALLBACK, World } from '../../support/world.ts';

describe('what the browser does with its ticket', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  const post = (browser: BrowserPerson, path: string): Promise<Answer> =>
    browser.agent.post(`${browser.at}${path}`, { json: {} });
  const submit = (browser: BrowserPerson, path: string): Promise<Answer> =>
    browser.agent.post(`${browser.at}${path}`, { form: {} });
  /** What the RP is told where a redirect ends there. */
  const told = async (browser: BrowserPerson, redirectTo: string): Promise<Record<string, string>> => {
    const { location } = await browser.goOn(redirectTo);
    expect(location.startsWith(`${RP_CALLBACK}?`)).to.equal(true);
    return Object.fromEntries(new URL(location).searchParams);
  };

  describe('finish', () => {
    it('tells scripts where to go on, and sends forms there', async () => {
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

    it('may be asked for again where the answer got lost', async () => {
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

  describe('a refusal on the phone', () => {
    it('reaches the RP as access_denied', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      expect((await phone.deny()).json().state).to.equal('denied');
      const { redirectTo } = (await browser.finish()).json();
      const { state, ...answer } = await told(browser, String(redirectTo));
      expect(answer).to.include({ error: 'access_denied', iss: world.issuer });
      expect(state).to.be.a('string');
    });

    it('reaches the RP from a form, too', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.deny();
      const form = await submit(browser, '/qr/finish');
      expect(form.status).to.equal(303);
      expect(await told(browser, form.location)).to.include({ error: 'access_denied' });
    });

    it('is final', async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      await phone.scan(code);
      await phone.deny();
      expect((await phone.approve()).status).to.equal(409);
      expect((await phone.scan(code)).status).to.equal(410);
      expect((await browser.ticket()).state).to.equal('denied');
    });
  });

  describe('cancel', () => {
    it('reaches the RP as access_denied with its state', async () => {
      const { browser } = await world.meet();
      const answer = await post(browser, '/cancel');
      expect(answer.status).to.equal(200);
      const { redirectTo } = answer.json();
      const arrived = await told(browser, String(redirectTo));
      expect(arrived).to.include({ error: 'access_denied' });
      expect(arrived.state).to.be.a('string');
    });

    it('sends forms to the RP', async () => {
      const { browser } = await world.meet();
      const form = await submit(browser, '/cancel');
      expect(form.status).to.equal(303);
      expect(await told(browser, form.location)).to.include({ error: 'access_denied' });
    });

    it('ends what the phone has scanned', async () => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await post(browser, '/cancel');
      expect((await phone.look()).status).to.equal(410);
      expect((await phone.approve()).status).to.equal(410);
      expect((await browser.ticket()).state).to.equal('cancelled');
    });
  });

  describe('renew', () => {
    it('answers scripts with the new ticket, and shows forms the page again', async () => {
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

    it('makes a new ticket after the old one has expired', async () => {
      const { browser, phone } = await world.meet();
      world.clock.forward(121);
      expect((await browser.ticket()).state).to.equal('expired');
      await post(browser, '/qr/renew');
      expect((await phone.scan(await browser.code())).status).to.equal(200);
    });

    it('leaves alone what another tab has renewed already', async () => {
      const { browser } = await world.meet();
      const { version } = await browser.ticket();
      const renew = (seen: unknown): Promise<Answer> =>
        browser.agent.post(`${browser.at}/qr/renew`, { json: { version: `${seen}` } });
      const first = (await renew(version)).json();
      const second = (await renew(version)).json();
      expect(first.state).to.equal('waiting');
      expect(second.version).to.equal(first.version);
      expect((await renew('abc')).status).to.equal(400);
      expect((await browser.ticket()).version).to.equal(first.version);
    });

    it('takes an approval back', async () => {
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

  it('shows the same code again when the page is loaded again, and a new one once it has expired', async () => {
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
