import { expect } from 'chai';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { PushService } from '../../support/push-service.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { type BrowserPerson, PhonePerson } from '../../support/world.ts';
import { pushing, subscribe } from '../push/pushing.ts';
import { listed, open } from '../requests/requests.ts';
import { signOutHere, startAndAsk, trust } from './asking.ts';

describe('a browser that asks phones on two nodes', () => {
  storesMayTake(GENEROUS);

  let service: PushService;
  let one: RedisWorld;
  let two: RedisWorld;
  let phone: PhonePerson;
  let browser: BrowserPerson;

  beforeEach(async () => {
    service = await PushService.start();
    const options = pushing(service);
    one = await RedisWorld.start(options);
    two = await RedisWorld.start({ ...options, issuer: one.world.issuer }, one.redis);
    phone = await new PhonePerson(one.world).signIn();
    browser = await trust(one.world, phone);
  });

  afterEach(async () => {
    await two?.leave();
    await one?.stop();
    await service.stop();
  });

  /** Asks at the first node. @returns the address of the request at the second node, as the notification has it */
  async function askHere(): Promise<string> {
    const told = service.next();
    expect((await startAndAsk(browser)).status).to.equal(200);
    await told;
    const { url } = JSON.parse(service.messages.at(-1)?.text ?? '');
    return `${two.world.origin}${url}`;
  }

  it('asks at one, is approved at the other, and finishes at the first', async () => {
    await subscribe(phone, service);
    await open(phone, await askHere());
    expect(new URL(phone.at).origin).to.equal(two.world.origin);
    const { number } = await browser.ticket();
    expect((await phone.approve({ match: `${number}` })).json().state).to.equal('approved');
    expect((await browser.arrive()).searchParams.has('code')).to.equal(true);
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('is approved after Redis did not answer between the message and the approval', async () => {
    await subscribe(phone, service);
    await open(phone, await askHere());
    const { number } = await browser.ticket();
    two.pause();
    expect((await phone.approve({ match: `${number}` })).status).to.equal(503);
    await two.resume();
    expect((await phone.approve({ match: `${number}` })).json().state).to.equal('approved');
    expect((await browser.finish()).status).to.equal(200);
    expect(await listed(phone)).to.deep.equal([]);
    await signOutHere(browser);
    expect((await startAndAsk(browser)).status).to.equal(200);
  });

  it('is decided once if one phone approves at one node and another denies at the other', async () => {
    await subscribe(phone, service);
    const url = await askHere();
    await open(phone, url);
    const { number } = await browser.ticket();
    const here = phone.at.replace(two.world.origin, one.world.origin);
    const headers = { accept: 'application/json' };
    const denial = phone.agent.post(here, { headers, json: { csrf: phone.csrf, decision: 'deny' } });
    const answers = await Promise.all([denial, phone.approve({ match: `${number}` })]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409]);
    const isApproved = answers[1]?.status === 200;
    expect((await browser.ticket()).state).to.equal(isApproved ? 'approved' : 'denied');
    expect(await listed(phone)).to.deep.equal([]);
  });
});
