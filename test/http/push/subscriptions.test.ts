import { expect } from 'chai';
import { eventually } from '../../../src/stores/contract/eventually.ts';
import { PUSH_HOST, PushService } from '../../support/push-service.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { type BrowserPerson, PhonePerson, World } from '../../support/world.ts';
import { openAsked, startAndAsk, trust } from '../browser/asking.ts';
import { listed } from '../requests/requests.ts';
import { devicesOf, pushing, sendForm, subscribe } from './pushing.ts';

function testPush(start: (service: PushService) => Promise<{ world: World; stop: () => Promise<void> }>): void {
  let service: PushService;
  let world: World;
  let stop: () => Promise<void>;
  let phone: PhonePerson;
  let browser: BrowserPerson;

  beforeEach(async () => {
    service = await PushService.start();
    ({ world, stop } = await start(service));
    phone = await new PhonePerson(world).signIn();
    browser = await trust(world, phone);
  });

  afterEach(async () => {
    await stop();
    await service.stop();
  });

  it('gets a message that only the phone can read, with the address of the request alone', async () => {
    const { path } = await subscribe(phone, service);
    const told = service.next();
    await startAndAsk(browser);
    await told;
    expect(service.problems).to.deep.equal([]);
    const [message] = service.messages;
    const [pending] = await listed(phone);
    expect(JSON.parse(message?.text ?? '')).to.deep.equal({ url: pending?.url });
    expect(message?.path).to.equal(path);
    expect(message?.headers).to.include({ 'content-encoding': 'aes128gcm', urgency: 'high' });
    expect(Number(message?.headers.ttl)).to.be.within(20, 30);
    expect(message?.claims).to.include({ aud: `https://${PUSH_HOST}`, sub: 'mailto:operator@example.com' });
    expect(Number(message?.claims.exp) - Date.now() / 1000).to.be.within(60, 24 * 3600);
    expect(message?.bytes.includes('requests')).to.equal(false);
    await openAsked(phone);
    expect((await phone.approve({ match: `${(await browser.ticket()).number}` })).json().state).to.equal('approved');
  });

  it('is listed, and can be removed', async () => {
    await subscribe(phone, service);
    const { push } = await devicesOf(phone);
    expect(push?.phones).to.have.length(1);
    expect(push?.phones[0]).to.include({ isHere: true });
    const bob = await new PhonePerson(world).signIn('bob');
    expect((await devicesOf(bob)).push?.phones).to.deep.equal([]);
    await sendForm(bob, { unsubscribe: push?.phones[0]?.id ?? '' });
    expect((await devicesOf(phone)).push?.phones).to.have.length(1);
    expect((await sendForm(phone, { unsubscribe: push?.phones[0]?.id ?? '' })).status).to.equal(200);
    expect((await devicesOf(phone)).push?.phones).to.deep.equal([]);
    await startAndAsk(browser);
    await listed(phone);
    expect(service.requests).to.equal(0);
  });
}

describe('a phone that is notified by Web Push, in memory', () => {
  testPush(async (service) => {
    const world = await World.start(pushing(service));
    return { world, stop: () => world.stop() };
  });
});

describe('a phone that is notified by Web Push, on Redis', () => {
  testPush(async (service) => {
    const there = await RedisWorld.start(pushing(service));
    return { world: there.world, stop: () => there.stop() };
  });
});

describe('the subscription of a phone', () => {
  let service: PushService;
  let world: World;
  let phone: PhonePerson;
  let browser: BrowserPerson;

  beforeEach(async () => {
    service = await PushService.start();
    world = await World.start(pushing(service));
    phone = await new PhonePerson(world).signIn();
    browser = await trust(world, phone);
  });

  afterEach(async () => {
    await world.stop();
    await service.stop();
  });

  for (const status of [404, 410])
    it(`ends when the push service answers ${status}`, async () => {
      await subscribe(phone, service);
      service.status = status;
      const told = service.next();
      await startAndAsk(browser);
      await told;
      await eventually('is off the list', async () => (await devicesOf(phone)).push?.phones.length === 0);
    });

  for (const status of [500, 429, 302, 'hang'] as const)
    it(`stays when the push service answers ${status}, and the browser does not wait`, async () => {
      await subscribe(phone, service);
      service.location = 'https://127.0.0.1/elsewhere';
      service.status = status;
      const told = service.next();
      expect((await startAndAsk(browser)).status).to.equal(200);
      await told;
      expect(await browser.ticket()).to.include({ state: 'waiting', asked: true });
      expect((await devicesOf(phone)).push?.phones).to.have.length(1);
      await openAsked(phone);
      await phone.approve({ match: `${(await browser.ticket()).number}` });
      expect((await browser.finish()).status).to.equal(200);
      expect(service.requests).to.equal(1);
    });

  it('does not keep a browser waiting while the push service is down', async () => {
    await subscribe(phone, service);
    await service.stop();
    expect((await startAndAsk(browser)).status).to.equal(200);
    await openAsked(phone);
    await phone.approve({ match: `${(await browser.ticket()).number}` });
    expect((await browser.finish()).status).to.equal(200);
    service = await PushService.start();
  });

  it('ends with the session of the phone', async () => {
    await subscribe(phone, service);
    const other = await new PhonePerson(world).signIn();
    expect((await devicesOf(other)).push?.phones).to.have.length(1);
    await phone.signOut();
    expect((await devicesOf(other)).push?.phones).to.deep.equal([]);
  });

  it('is refused for an address to which the server must not send', async () => {
    const { json } = await service.subscribe();
    const described = JSON.parse(json);
    const addresses = [
      'http://push.example.com/x',
      'https://push.example.com:8443/x',
      'https://user@push.example.com/x',
      'https://push.example.com.attacker.example/x',
      'https://attacker.example/push.example.com',
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://localhost/x',
      'https://169.254.169.254/latest',
      `https://push.example.com/${'x'.repeat(1024)}`,
      'push.example.com',
    ];
    for (const endpoint of addresses) {
      const answer = await sendForm(phone, { subscribe: JSON.stringify({ ...described, endpoint }) });
      expect([endpoint, answer.status]).to.deep.equal([endpoint, 400]);
    }
    for (const subscription of ['{}', 'x', JSON.stringify({ ...described, keys: { ...described.keys, auth: 'x' } })])
      expect((await sendForm(phone, { subscribe: subscription })).status).to.equal(400);
    const offCurve = Buffer.alloc(65, 7).toString('base64url');
    const keys = { ...described.keys, p256dh: offCurve };
    expect((await sendForm(phone, { subscribe: JSON.stringify({ ...described, keys }) })).status).to.equal(400);
  });

  it('takes the place of the oldest one, if there are ten', async () => {
    for (let times = 0; times < 11; times++) {
      await subscribe(phone, service);
      world.clock.forward(1);
    }
    expect((await devicesOf(phone)).push?.phones).to.have.length(10);
  });
});
