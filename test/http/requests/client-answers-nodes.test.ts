import { expect } from 'chai';
import { deskClient } from '../../fixtures/test-client.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { until } from '../../support/until.ts';
import { PhonePerson } from '../../support/world.ts';
import { type Asked, ask, byEmail, fetchTokens, listed, open, refusal } from './requests.ts';

describe('a request without a browser on two nodes', () => {
  storesMayTake(GENEROUS);

  const options = { clients: [deskClient()], qrLogin: { ciba: byEmail } };
  let one: RedisWorld;
  let two: RedisWorld;

  before(async () => {
    one = await RedisWorld.start(options);
    two = await RedisWorld.start({ ...options, issuer: one.world.issuer }, one.redis);
  });

  after(async () => {
    await two?.leave();
    await one?.stop();
  });

  /** Opens the request of the account at the second node. */
  async function openThere(): Promise<PhonePerson> {
    const phone = await new PhonePerson(one.world).signIn();
    const [first] = await listed(phone);
    await open(phone, `${two.world.origin}${first?.url}`);
    return phone;
  }

  it('is sent to one, approved at the other, and answered by the first', async () => {
    const asked: Asked = await ask(one.world);
    const phone = await openThere();
    expect(new URL(phone.at).origin).to.equal(two.world.origin);
    expect((await phone.approve()).json().state).to.equal('redeemed');
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('is answered once if a phone denies at one and another approves at the other', async () => {
    const asked = await ask(one.world);
    const phone = await openThere();
    const here = phone.at.replace(two.world.origin, one.world.origin);
    const deny = (): Promise<Answer> =>
      phone.agent.post(here, {
        headers: { accept: 'application/json' },
        json: { csrf: phone.csrf, decision: 'deny' },
      });
    const [denied, approved] = await Promise.all([deny, () => phone.approve()].map(repeatWhileUnavailable));
    expect([denied?.status, approved?.status].sort()).to.deep.equal([200, 409]);
    if (approved?.status === 200) expect((await fetchTokens(asked)).access_token).to.be.a('string');
    else expect((await refusal(fetchTokens(asked))).error).to.equal('access_denied');
  });

  it('can be approved again if the store of tokens fails at the first try', async () => {
    const asked = await ask(one.world);
    const phone = await openThere();
    two.pause();
    expect((await phone.approve()).status).to.equal(503);
    await two.resume();
    expect((await phone.approve()).json().state).to.equal('redeemed');
    expect((await fetchTokens(asked)).access_token).to.be.a('string');
  });
});

/** Repeats a request for as long as the answer is 503, as it is while the other node gives the client its answer. */
async function repeatWhileUnavailable(request: () => Promise<Answer>): Promise<Answer> {
  let answer = await request();
  await until(async () => {
    if (answer.status === 503) answer = await request();
    return answer.status !== 503;
  });
  return answer;
}
