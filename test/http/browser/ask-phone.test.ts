import { expect } from 'chai';
import { TestBrowserKey } from '../../support/browser-key.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { BrowserPerson, PhonePerson, type World, type WorldOptions } from '../../support/world.ts';
import { listed } from '../requests/requests.ts';
import {
  askingOptions,
  askPhone,
  challengeOf,
  openAsked,
  signOutHere,
  startAndAsk,
  startAsking,
  trust,
} from './asking.ts';

const PAGE = { accept: 'text/html' };

function testAsking(start: (options?: WorldOptions) => Promise<{ world: World; stop: () => Promise<void> }>): void {
  let world: World;
  let stop: (() => Promise<void>) | undefined;
  let phone: PhonePerson;

  beforeEach(async () => {
    ({ world, stop } = await start());
    phone = await new PhonePerson(world).signIn();
  });

  afterEach(() => stop?.());

  it('signs in a browser that the account trusts, once its user has typed the number on the phone', async () => {
    const browser = await trust(world, phone);
    expect((await startAndAsk(browser)).json()).to.deep.equal({ redirectTo: new URL(browser.at).pathname });
    const waiting = await browser.ticket();
    expect(waiting).to.include({ state: 'waiting', asked: true }).and.not.to.have.any.keys('qr', 'number');
    expect(waiting.expiresIn).to.be.within(25, 30);
    const opened = await openAsked(phone);
    expect(opened).to.include({ state: 'scanned', typesNumber: true }).and.not.to.have.any.keys('numbers');
    const { number } = await browser.ticket();
    expect(number).to.match(/^[1-9]\d$/);
    expect((await phone.approve({ match: `${number}` })).json()).to.include({ state: 'approved' });
    expect(await browser.ticket()).to.include({ state: 'approved', checkCode: false });
    expect((await browser.arrive()).searchParams.has('code')).to.equal(true);
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('lets another phone of the account take the request over, and the first decision counts', async () => {
    const browser = await trust(world, phone);
    const second = await new PhonePerson(world).signIn();
    await startAndAsk(browser);
    await openAsked(phone);
    await openAsked(second);
    const { number } = await browser.ticket();
    expect((await phone.approve({ match: `${number}` })).json()).to.include({ reason: 'elsewhere' });
    await openAsked(phone);
    const answers = await Promise.all([phone.approve({ match: `${number}` }), second.deny()]);
    const { state } = await browser.ticket();
    expect(state).to.be.oneOf(['approved', 'denied']);
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('shows a code once no phone has opened the request in time, and takes the request off the list', async () => {
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    expect(await listed(phone)).to.have.length(1);
    world.clock.forward(31);
    expect(await browser.ticket()).to.include({ state: 'expired' });
    expect(await listed(phone)).to.deep.equal([]);
    const page = await browser.agent.get(browser.at, { headers: PAGE });
    expect(page.text).to.include('data-screen="waiting"');
    await phone.scan(await browser.code());
    expect((await phone.approve()).json()).to.include({ state: 'approved' });
  });
}

describe('a browser that asks phones, in memory', () => {
  testAsking(async () => {
    const { world } = await startAsking();
    return { world, stop: () => world.stop() };
  });
});

describe('a browser that asks phones, on Redis', () => {
  testAsking(async () => {
    const there = await RedisWorld.start(askingOptions().options);
    return { world: there.world, stop: () => there.stop() };
  });
});

describe('the request of a browser that asks phones', () => {
  let world: World;
  let notified: Awaited<ReturnType<typeof startAsking>>['notified'];
  let phone: PhonePerson;

  async function start(options: WorldOptions = {}): Promise<void> {
    ({ world, notified } = await startAsking(options));
    phone = await new PhonePerson(world).signIn();
  }

  afterEach(() => world.stop());

  it('is offered to a browser that the account trusts, and refused to any other as if there were no such page', async () => {
    await start();
    const known = await trust(world, phone);
    await known.start();
    expect((await known.agent.get(known.at, { headers: PAGE })).text).to.include('Ask my phone');
    const stranger = new BrowserPerson(world);
    await stranger.start();
    expect((await stranger.agent.get(stranger.at, { headers: PAGE })).text).not.to.include('Ask my phone');
    const refused = await askPhone(stranger);
    expect([refused.status, refused.json().error]).to.deep.equal([404, 'not_found']);
    expect(notified).to.deep.equal([]);
  });

  it('is refused where the deployment does not offer it', async () => {
    ({ world, notified } = await startAsking({}, false));
    phone = await new PhonePerson(world).signIn();
    const browser = await trust(world, phone);
    expect((await startAndAsk(browser)).status).to.equal(404);
    expect((await browser.agent.get(browser.at, { headers: PAGE })).text).not.to.include('Ask my phone');
  });

  it('works as a plain form, and its page goes on without a script', async () => {
    await start();
    const browser = await trust(world, phone);
    await browser.start();
    const posted = await browser.agent.post(`${browser.at}/qr/ask`, { form: {}, headers: PAGE });
    expect([posted.status, posted.location]).to.deep.equal([303, new URL(browser.at).pathname]);
    const page = await browser.agent.get(browser.at, { headers: PAGE });
    expect(page.text)
      .to.include('data-screen="asked"')
      .and.include('http-equiv="refresh"')
      .and.not.include('<svg class="qr"');
    await openAsked(phone);
    const { number } = await browser.ticket();
    const shown = await browser.agent.get(browser.at, { headers: PAGE });
    expect(shown.text).to.match(new RegExp(`Type this number on your phone: <strong dir="ltr">${number}<`));
    const confirm = await phone.agent.follow(phone.at);
    expect(confirm.text).to.include('id="match" name="match"');
    const form = { csrf: phone.csrf, decision: 'approve', match: ` ${number}` };
    expect((await phone.agent.post(phone.at, { form, headers: PAGE })).status).to.equal(303);
    expect((await browser.ticket()).state).to.equal('approved');
  });

  it('takes the signature of the key of a browser that has one, and the key signs again at finish', async () => {
    await start();
    const key = await TestBrowserKey.make();
    const browser = await trust(world, phone, key);
    await browser.start();
    expect(await challengeOf(browser)).to.be.a('string');
    for (const wrong of [undefined, await TestBrowserKey.make()]) {
      const refused = await askPhone(browser, wrong);
      expect([refused.status, refused.json().error]).to.deep.equal([403, 'wrong_proof']);
    }
    expect(notified).to.deep.equal([]);
    expect((await askPhone(browser, key)).status).to.equal(200);
    await openAsked(phone);
    const { number } = await browser.ticket();
    await phone.approve({ match: `${number}` });
    const { version } = await browser.ticket();
    const finished = await browser.finish(undefined, { signature: await key.sign(browser.at, version) });
    expect(finished.status).to.equal(200);
  });

  it('is told to the deployment, without the account in its data', async () => {
    await start();
    await startAndAsk(await trust(world, phone));
    const [[accountId, request] = []] = notified;
    expect(accountId).to.equal('a11ce');
    expect(request).to.have.all.keys('id', 'url', 'client', 'expiresIn');
    expect(request?.expiresIn).to.be.within(25, 30);
  });

  it('is repeated without ringing again, and waits only once for each browser', async () => {
    await start();
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    const { version } = await browser.ticket();
    expect((await askPhone(browser)).status).to.equal(200);
    expect(await browser.ticket()).to.include({ version });
    const first = browser.at;
    const refused = await startAndAsk(browser);
    expect([refused.status, refused.json().error]).to.deep.equal([409, 'not_asked']);
    expect(await browser.ticket()).to.include.keys('qr');
    expect(first).not.to.equal(browser.at);
    expect(notified).to.have.length(1);
    expect(await listed(phone)).to.have.length(1);
  });

  it('waits longer and longer after requests that were ignored or denied, until one is approved', async () => {
    await start();
    const browser = await trust(world, phone);
    const isAsked = async (): Promise<boolean> => (await startAndAsk(browser)).status === 200;
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      let waited = 0;
      while (!(await isAsked())) {
        world.clock.forward(60);
        waited += 1;
        if (waited > 20) throw new Error('it is not asked any more');
      }
      waits.push(waited);
      world.clock.forward(31);
    }
    expect(waits).to.deep.equal([0, 0, 1, 5]);
    world.clock.forward(15 * 60);
    expect(await isAsked()).to.equal(true);
    await openAsked(phone);
    await phone.approve({ match: `${(await browser.ticket()).number}` });
    await browser.arrive();
    await signOutHere(browser);
    expect(await isAsked()).to.equal(true);
  });

  it('ends with a wrong number, which counts as a wrong check code, and takes two digits', async () => {
    await start();
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    await openAsked(phone);
    for (const match of ['', '7', '07', '100', 'ab']) {
      const refused = await phone.approve({ match });
      expect([match, refused.status, refused.json().error]).to.deep.equal([match, 400, 'invalid_request']);
    }
    expect((await phone.approve()).status).to.equal(400);
    const { number } = await browser.ticket();
    const wrong = number === '42' ? '43' : '42';
    expect((await phone.approve({ match: wrong })).json()).to.include({ error: 'over', reason: 'check-code' });
    expect(await browser.ticket()).to.include({ state: 'cancelled', because: 'check code' });
    expect(await listed(phone)).to.deep.equal([]);
    expect((await phone.approve({ match: `${number}` })).status).to.equal(410);
  });

  it('offers three numbers to tap where the deployment has chosen that', async () => {
    await start({ qrLogin: { askPhone: { entry: 'tap' } } });
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    const opened = await openAsked(phone);
    const { number } = await browser.ticket();
    expect(opened.numbers).to.have.length(3).and.include(number);
    expect((await phone.approve({ match: `${number}` })).json()).to.include({ state: 'approved' });
  });

  it('still takes the check code if the deployment demands it', async () => {
    await start({ qrLogin: { assess: () => 'check code' } });
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    await openAsked(phone);
    const approved = await phone.approve({ match: `${(await browser.ticket()).number}` });
    const { checkCode } = approved.json();
    expect(checkCode).to.match(/^\d{6}$/);
    expect((await browser.finish()).status).to.equal(400);
    expect((await browser.finish(`${checkCode}`)).status).to.equal(200);
  });

  it('can no longer be made by a browser that the account has reported, or forgotten', async () => {
    await start();
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    await openAsked(phone);
    expect((await phone.decide('report')).status).to.equal(200);
    expect(await browser.ticket()).to.include({ state: 'denied' });
    expect((await startAndAsk(browser)).status).to.equal(404);
  });

  it('goes back to a code when the browser asks for one, and is off the list then', async () => {
    await start();
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    const { version } = await browser.ticket();
    const renewed = await browser.agent.post(`${browser.at}/qr/renew`, { json: { version: `${version}` } });
    expect(renewed.json()).to.include.keys('qr');
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('looks unknown to another account, by its address and by its ticket', async () => {
    await start();
    const browser = await trust(world, phone);
    await startAndAsk(browser);
    const bob = await new PhonePerson(world).signIn('bob');
    const url = notified[0]?.[1].url ?? '';
    expect((await bob.agent.get(url, { headers: { accept: 'application/json' } })).status).to.equal(404);
    expect(await listed(bob)).to.deep.equal([]);
    await openAsked(phone);
    bob.at = phone.at;
    expect((await bob.look()).status).to.equal(404);
  });

  it('is not offered for a request that demands another account', async () => {
    const features = { devInteractions: { enabled: false }, claimsParameter: { enabled: true } };
    await start({ configuration: { features } });
    const browser = await trust(world, phone);
    await browser.start({ claims: JSON.stringify({ id_token: { sub: { value: 'b0b' } } }) });
    expect((await browser.agent.get(browser.at, { headers: PAGE })).text).not.to.include('Ask my phone');
    expect((await askPhone(browser)).status).to.equal(404);
  });
});
