import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Approval } from '../../../src/index.ts';
import { hashTexts } from '../../../src/oidc/actions/signed-result.ts';
import type { Answer } from '../../support/agent.ts';
import { StillClock, TestClock } from '../../support/clock.ts';
import { until } from '../../support/until.ts';
import { BrowserPerson, CLIENT_ID, PhonePerson, World } from '../../support/world.ts';
import {
  ActionBrowser,
  type ActionWorld,
  ALICE,
  BOB,
  PAYMENT,
  request,
  requestAndShow,
  startWithActions,
} from './actions.ts';

interface ShownAction {
  readonly browser: ActionBrowser;
  readonly phone: PhonePerson;
  readonly approval: Approval;
}

async function showAction(actions: ActionWorld, query = ''): Promise<ShownAction> {
  const browser = new ActionBrowser(actions.world);
  const phone = await new PhonePerson(actions.world).signIn('alice');
  return { browser, phone, approval: await browser.pay(actions, query) };
}

const html = { headers: { accept: 'text/html' } };

describe('an action that a browser shows:', () => {
  let actions: ActionWorld;
  let world: World;
  let events: unknown[];

  before(async () => {
    actions = await startWithActions({ clock: new StillClock() });
    ({ world } = actions);
    events = world.collectPayloads('qr_login.action');
  });

  after(() => world?.stop());

  it('is approved on the phone, which shows the two texts and the requester', async () => {
    const { browser, phone, approval } = await showAction(actions);
    await phone.scan(await browser.code());
    const seen = (await phone.look()).json();
    expect(seen.action).to.deep.equal(PAYMENT);
    expect(seen.client).to.deep.equal({ id: '', name: 'Example ID', host: new URL(world.issuer).host });
    expect((await browser.ticket()).state).to.equal('scanned');
    await phone.approve();
    expect((await browser.finish()).json()).to.deep.equal({ redirectTo: new URL(approval.url).pathname });
    const detailsHash = hashTexts(PAYMENT);
    expect(await approval.result).to.deep.include({ outcome: 'approved', accountId: ALICE, ...PAYMENT, detailsHash });
    expect(events.at(-1)).to.deep.include({ ticket: approval.ticket, outcome: 'approved', accountId: ALICE });
    const page = await browser.agent.get(approval.url, html);
    expect(page.text).to.include('You can close this page.').and.not.include('data-qr-login');
  });

  it('has a signed result that can be verified with the published keys', async () => {
    const { browser, phone, approval } = await showAction(actions, '?reference=order-4711');
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.finish();
    const result = await approval.result;
    if (result.outcome !== 'approved' || result.jwt === undefined) throw new Error('not approved');
    const published = (await (await fetch(`${world.issuer}/jwks`)).json()) as JSONWebKeySet;
    const { issuer } = world;
    const { payload } = await jwtVerify(result.jwt, createLocalJWKSet(published), {
      typ: 'qr-approval+jwt',
      issuer,
      audience: issuer,
      currentDate: new Date(world.clock.now()),
    });
    const id = { format: 'iss_sub', iss: issuer, sub: ALICE };
    expect(payload).to.deep.include({ sub_id: id, details_hash: hashTexts(PAYMENT), reference: 'order-4711' });
    expect(payload.jti).to.equal(approval.ticket);
    // With "sub", a recipient that does not check the type of the token would accept the result as an ID token.
    expect(payload).to.not.have.property('sub');
  });

  it('gives the same answers when a step is repeated', async () => {
    const { browser, phone, approval } = await showAction(actions);
    const code = await browser.code();
    await phone.scan(code);
    await phone.scan(code);
    await phone.approve();
    expect((await phone.approve()).status).to.equal(200);
    const [first, second] = [await browser.finish(), await browser.finish()];
    expect(second.json()).to.deep.equal(first.json());
    expect((await approval.result).outcome).to.equal('approved');
    const ends = events.filter((event) => (event as { ticket: string }).ticket === approval.ticket);
    expect(ends.length).to.equal(1);
  });

  it('ends when the phone denies', async () => {
    const { browser, phone, approval } = await showAction(actions);
    await phone.scan(await browser.code());
    await phone.decide('deny');
    expect((await browser.ticket()).state).to.equal('denied');
    expect(await approval.result).to.deep.equal({ outcome: 'denied', because: 'person' });
    expect((await browser.finish()).json()).to.deep.equal({ redirectTo: new URL(approval.url).pathname });
    expect((await browser.agent.get(approval.url, html)).text).to.include('This was not approved');
  });

  it('ends when the browser cancels, and when the requester cancels', async () => {
    const { browser, approval } = await showAction(actions);
    await browser.cancel();
    expect(await approval.result).to.deep.equal({ outcome: 'cancelled', because: 'browser' });
    const other = await showAction(actions);
    await other.approval.cancel();
    await other.approval.cancel();
    expect(await other.approval.result).to.deep.equal({ outcome: 'cancelled', because: 'requester' });
    expect((await other.phone.scan(other.approval.code)).status).to.equal(404);
  });

  it('sends the browser, at the end, to the address that the requester has chosen', async () => {
    const { browser, phone, approval } = await showAction(actions, '?returnTo=/paid');
    await phone.scan(await browser.code());
    await phone.approve();
    const paid = `${world.issuer}/paid`;
    expect((await browser.finish()).json()).to.deep.equal({ redirectTo: paid });
    expect((await browser.agent.get(approval.url, html)).text).to.include(`href="${paid}"`);
  });

  it('expires, and gets no new code', async () => {
    const { browser, phone, approval } = await showAction(actions);
    const code = await browser.code();
    world.clock.forward(301);
    expect((await browser.ticket()).state).to.equal('expired');
    expect((await browser.finish()).status).to.equal(410);
    world.clock.forward(3);
    expect(await approval.result).to.deep.equal({ outcome: 'expired' });
    expect((await phone.scan(code)).status).to.equal(404);
    expect((await browser.agent.get(approval.url, html)).text).to.include('The time is up');
  });

  it('cannot be confirmed after it has expired, although the phone has approved', async () => {
    const { browser, phone, approval } = await showAction(actions);
    world.clock.forward(250);
    await phone.scan(await browser.code());
    await phone.approve();
    world.clock.forward(51);
    expect((await browser.finish()).status).to.equal(410);
    world.clock.forward(3);
    expect(await approval.result).to.deep.equal({ outcome: 'expired' });
  });

  it('still has its result after it has expired, if the store uses the real clock', async () => {
    await World.during({ clock: new TestClock() }, async (later) => {
      const { approval, browser } = await requestAndShow({ world: later }, { expiresIn: 10 });
      await until(async () => (await browser.agent.get(approval.url, html)).text.includes('The time is up'));
      expect(await approval.result).to.deep.equal({ outcome: 'expired' });
      expect(await later.qr.findApproval(approval.id)).to.not.equal(undefined);
    });
  }).timeout(60_000);

  it('looks like an unknown code to another account, which sees none of its texts', async () => {
    const { browser, approval } = await showAction(actions);
    const bob = await new PhonePerson(world).signIn('bob');
    const answer = await bob.scan(await browser.code());
    expect([answer.status, answer.json().error]).to.deep.equal([404, 'not_found']);
    expect(answer.text).to.not.include('Pay');
    expect((await browser.ticket()).state).to.equal('waiting');
    await approval.cancel();
  });

  it('is shown only in the browser that asked for it', async () => {
    const { approval } = await showAction(actions);
    const other = new ActionBrowser(world);
    other.at = approval.url;
    const refused: Answer[] = [
      await other.agent.get(approval.url, html),
      await other.agent.post(approval.url, { form: {} }),
      await other.agent.get(`${approval.url}/qr`),
      await other.agent.get(`${approval.url}/qr/events`),
      await other.finish(),
      await other.cancel(),
    ];
    expect(refused.map(({ status }) => status)).to.deep.equal(refused.map(() => 404));
    expect(refused.some(({ text }) => text.includes('Pay'))).to.equal(false);
    await approval.cancel();
  });

  it('is not found at the URL of a sign-in, and a sign-in is not found at the URL of an action', async () => {
    const { browser, approval } = await showAction(actions);
    const at = `${world.issuer}/interaction/${approval.id}`;
    expect((await browser.agent.get(at, html)).status).to.equal(404);
    expect((await browser.agent.post(`${at}/qr/finish`, { json: {} })).status).to.equal(404);
    const signingIn = new BrowserPerson(world);
    await signingIn.start();
    const page = await signingIn.agent.get(`${world.issuer}/qr/actions/${signingIn.uid}`, html);
    expect(page.status).to.equal(404);
    expect(await world.qr.findApproval(signingIn.uid)).to.equal(undefined);
    await approval.cancel();
  });

  it('shows the address in the code as a link, if the deployment wants that', async () => {
    const { browser } = await showAction(actions);
    const page = await browser.agent.get(browser.at, html);
    expect(page.text).to.include(`href="${await browser.code()}"`);
  });

  it('escapes its texts, and refuses texts that could not be shown as they are', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const { browser, phone } = await showAction(actions, `?title=${encodeURIComponent(title)}`);
    expect((await browser.agent.get(browser.at, html)).text)
      .to.include('&lt;img')
      .and.not.include('<img src=x');
    await phone.scan(await browser.code());
    expect((await phone.agent.get(phone.at, html)).text)
      .to.include('&lt;img')
      .and.not.include('<img src=x');
    for (const wrong of [{ title: '' }, { title: 'Pay \u202e005' }, { title: 'two\nlines' }, { details: 'a\u200bb' }]) {
      const message = await request(actions, wrong).then(String, (error: Error) => error.message);
      expect(message).to.match(/^requestApproval: "(title|details)" must be/);
    }
  });
});

describe('an action that no browser shows yet:', () => {
  let actions: ActionWorld;
  let world: World;

  before(async () => {
    actions = await startWithActions({ qrLogin: { assess: () => 'check code' } });
    ({ world } = actions);
  });

  after(() => world?.stop());

  it('is shown in the first browser that opens it by a POST, while a GET changes nothing', async () => {
    const approval = await request(actions);
    const [preview, browser, late] = [new ActionBrowser(world), new ActionBrowser(world), new ActionBrowser(world)];
    expect((await preview.agent.get(approval.url, html)).text).to.include('data-open');
    expect((await browser.take(approval)).status).to.equal(303);
    expect((await browser.take(approval)).status).to.equal(303);
    expect((await browser.ticket()).state).to.equal('waiting');
    expect((await late.take(approval)).status).to.equal(404);
    expect((await preview.agent.get(approval.url, html)).status).to.equal(404);
  });

  it('refuses a POST that another site has made the browser send', async () => {
    const approval = await request(actions);
    const browser = new ActionBrowser(world);
    await browser.agent.get(approval.url, html);
    const headers = { origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' };
    expect((await browser.agent.post(approval.url, { form: {}, headers })).status).to.equal(403);
  });

  it('asks for the check code once a browser shows it, and ends after three wrong check codes', async () => {
    const approval = await request(actions);
    const browser = new ActionBrowser(world);
    const phone = await new PhonePerson(world).signIn('alice');
    await browser.take(approval);
    await phone.scan(await browser.code());
    const { checkCode } = (await phone.approve()).json();
    expect(await browser.ticket()).to.deep.include({ state: 'approved', checkCode: true });
    const wrong = checkCode === '111111' ? '222222' : '111111';
    expect((await browser.finish(wrong)).json().error).to.equal('wrong_check_code');
    expect((await browser.finish(`${checkCode}`)).status).to.equal(200);
    expect((await approval.result).outcome).to.equal('approved');

    const next = await request(actions);
    await browser.take(next);
    await phone.scan(await browser.code());
    await phone.approve();
    for (const typed of ['000001', '000002', '000003']) await browser.finish(typed);
    expect(await next.result).to.deep.equal({ outcome: 'cancelled', because: 'check code' });
  });

  it('cannot be scanned, and a refused scan changes nothing', async () => {
    const approval = await request(actions);
    const phone = await new PhonePerson(world).signIn('alice');
    expect((await phone.scan(approval.code)).status).to.equal(404);
    expect((await new ActionBrowser(world).take(approval)).status).to.equal(303);
  });

  it('needs no check code if the phone that opens its page decides', async () => {
    const approval = await request(actions);
    const phone = await new PhonePerson(world, { 'sec-ch-ua-mobile': '?1' }).signIn('alice');
    expect((await phone.agent.get(approval.url, html)).text).to.include('name="here" value="yes"');
    const opened = await phone.agent.post(approval.url, { form: { here: 'yes' } });
    await phone.scan(new URL(opened.location, world.issuer).href);
    const decided = (await phone.approve()).json();
    expect(decided).to.deep.include({ state: 'approved', goOn: new URL(approval.url).pathname });
    expect(decided).to.not.have.property('checkCode');
    const browser = new ActionBrowser(world);
    Object.assign(browser, { agent: phone.agent, at: approval.url });
    expect((await browser.finish()).status).to.equal(200);
    expect((await approval.result).outcome).to.equal('approved');
  });

  it('has an event once a browser shows it, with the address of that browser', async () => {
    const told = world.collectPayloads('qr_login.shown') as { ticket: string; browserFrom: string; from?: string }[];
    const approval = await request(actions);
    expect(told).to.deep.equal([]);
    await new ActionBrowser(world).take(approval);
    await until(() => told.length > 0);
    expect(told).to.have.length(1);
    expect(told[0]).to.include({ ticket: approval.ticket, action: true });
    expect(told[0]?.browserFrom).to.equal(told[0]?.from).and.not.to.equal('');
    await approval.cancel();
  });

  it('needs the check code if the device that decides is not the one that shows the action', async () => {
    const { approval, browser } = await requestAndShow(actions);
    await browser.agent.post(approval.url, { form: { here: 'yes' } });
    const phone = await new PhonePerson(world).signIn('alice');
    await phone.scan(await browser.code());
    const { checkCode } = (await phone.approve()).json();
    expect(checkCode).to.match(/^\d{6}$/);
    expect((await browser.finish()).status).to.equal(400);
    await approval.cancel();
  });

  it('is not bound to a browser that accepts no cookies', async () => {
    const approval = await request(actions);
    const answer = await new ActionBrowser(world).agent.post(approval.url, { json: {} });
    expect([answer.status, answer.json().reason]).to.deep.equal([404, 'no-cookies']);
    expect((await new ActionBrowser(world).take(approval)).status).to.equal(303);
  });

  it('is refused after its account has reported an action of the same client, but sign-ins are not', async () => {
    const ask = async (more: object = {}) => requestAndShow(actions, { accountId: BOB, ...more });
    const { approval, browser } = await ask();
    const phone = await new PhonePerson(world).signIn('bob');
    await phone.scan(await browser.code());
    await phone.decide('report');
    expect(await approval.result).to.deep.equal({ outcome: 'denied', because: 'report' });
    const next = await ask();
    await phone.scan(await next.browser.code());
    expect(await next.approval.result).to.deep.equal({ outcome: 'denied', because: 'blocked' });
    const other = await ask({ client: CLIENT_ID });
    expect((await phone.scan(await other.browser.code())).status).to.equal(200);
    expect((await phone.look()).json().state).to.equal('scanned');
    const signingIn = new BrowserPerson(world);
    await signingIn.start();
    await phone.scan(await signingIn.code());
    expect((await phone.look()).json().state).to.equal('scanned');
  });

  it("stays approved if it is reported after its end, and the phone's page says so", async () => {
    const { approval, browser } = await requestAndShow(actions);
    const ends = world.collectPayloads('qr_login.action');
    const phone = await new PhonePerson(world).signIn('alice');
    await phone.scan(await browser.code());
    const { checkCode } = (await phone.approve()).json();
    await browser.finish(`${checkCode}`);
    const page = await phone.agent.post(phone.at, { form: { csrf: phone.csrf, decision: 'report' }, ...html });
    expect(page.text).to.include('was approved before you reported it').and.not.include('Nothing was approved');
    expect((await approval.result).outcome).to.equal('approved');
    expect(ends.map((event) => (event as { outcome: string }).outcome)).to.deep.equal(['approved']);
  });

  it('has the outcome "unknown" if the process stops', async () => {
    await World.during({}, async (stopping) => {
      const approval = await stopping.qr.requestApproval({ accountId: ALICE, title: 'Pay' });
      const waiting = approval.result;
      await stopping.qr.close();
      expect(await waiting).to.deep.equal({ outcome: 'unknown' });
    });
  });

  it('is refused if its values are wrong, with a message about the right ones', async () => {
    const messageOf = (more: object): Promise<string> =>
      request(actions, more).then(String, (error: Error) => `${error.name}: ${error.message}`);
    expect(await messageOf({ expiresIn: 5 })).to.match(/^TypeError: .*from 10 to 3600/);
    expect(await messageOf({ client: 'nobody' })).to.match(/^TypeError: .*nobody is not registered/);
    const misleading = [
      'javascript:alert(1)',
      '//attacker.example',
      '/\t/attacker.example',
      '/a\\b',
      `/${'a'.repeat(2_001)}`,
    ];
    for (const returnTo of [...misleading, 'https://user:pw@app.example/', ''])
      expect(await messageOf({ returnTo }), returnTo).to.match(/^TypeError: .*"returnTo" must be a path of yours, or/);
    expect(await messageOf({ audience: '' })).to.match(/^TypeError: .*"audience"/);
    expect(await messageOf({ accountId: '' })).to.match(/^TypeError: .*accountId/);
  });
});
