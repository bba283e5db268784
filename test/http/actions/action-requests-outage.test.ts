/** Actions while the store cannot be reached, and on two nodes that share a store. */
import { expect } from 'chai';
import type { Approval } from '../../../src/index.ts';
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { CLIENT_SECRET, PhonePerson } from '../../support/world.ts';
import { ACTION_ROUTES, ActionBrowser, ALICE, CLIENT_OPERATIONS, PAYMENT, requestAndShow } from './actions.ts';

describe('a store that does not answer during requests about actions', () => {
  storesMayTake(GENEROUS);

  let there: RedisWorld;
  let approval: Approval;
  let browser: ActionBrowser;
  const answers = new Map<string, Answer>();
  let refused: unknown;

  before(async () => {
    there = await RedisWorld.start({ clients: [shopClient()] });
    const { world } = there;
    approval = await world.qr.requestApproval({ accountId: ALICE, ...PAYMENT });
    browser = new ActionBrowser(world);
    await browser.take(approval);
    const token = await tokenOf(there);
    there.pause();
    for (const route of [...ACTION_ROUTES, ...CLIENT_OPERATIONS]) {
      const [method = '', path = ''] = route.split(' ');
      const url = world.issuer + path.replace(':id', approval.id);
      const isClient = CLIENT_OPERATIONS.includes(route);
      const json = isClient ? { ...PAYMENT, sub: ALICE } : {};
      const headers = { accept: 'application/json', ...(isClient && { authorization: `Bearer ${token}` }) };
      answers.set(route, await browser.agent.send(url, { method, headers, ...(method === 'POST' && { json }) }));
    }
    refused = await world.qr.requestApproval({ accountId: ALICE, ...PAYMENT }).catch((error: unknown) => error);
    await there.resume();
  });

  after(() => there?.stop());

  it('causes a 503 with an error code and Retry-After at every request', () => {
    for (const [route, answer] of answers) {
      expect([answer.status, answer.json().error], route).to.deep.equal([503, 'store_unavailable']);
      expect(answer.headers.get('retry-after'), route).to.equal('2');
    }
    expect(refused).to.include({ code: 'store_unavailable' });
  });

  it('leaves the action unchanged: later it can be approved, and its result arrives', async () => {
    const phone = await new PhonePerson(there.world).signIn('alice');
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.finish();
    expect((await approval.result).outcome).to.equal('approved');
  });

  it('does not end a wait for a result', async () => {
    const { approval: waited, browser: screen } = await requestAndShow(there);
    const phone = await new PhonePerson(there.world).signIn('alice');
    const { result } = waited;
    there.pause();
    await there.resume();
    await phone.scan(await screen.code());
    await phone.approve();
    await screen.finish();
    expect((await result).outcome).to.equal('approved');
  });
});

describe('an action whose Redis fails in the middle', () => {
  storesMayTake(GENEROUS);

  it('is confirmed once if Redis pauses just before it writes the confirmation', () =>
    RedisWorld.during({}, async (there) => {
      const { approval, browser } = await requestAndShow(there);
      const ends = there.world.collectPayloads('qr_login.action');
      const phone = await new PhonePerson(there.world).signIn('alice');
      await phone.scan(await browser.code());
      await phone.approve();
      there.pauseAt(({ arguments: values }) => values.some((value) => value.includes('"state":"redeemed"')));
      expect((await browser.finish()).status).to.equal(503);
      await there.resume();
      expect((await browser.finish()).status).to.equal(200);
      expect((await approval.result).outcome).to.equal('approved');
      expect(ends).to.have.length(1);
    }));

  it('is over if Redis loses its data, and a new action can be asked for', () =>
    RedisWorld.during({ clients: [shopClient()] }, async (there) => {
      const { approval, browser } = await requestAndShow(there);
      const { result } = approval;
      await there.redis.kill();
      await there.redis.restart();
      await there.untilUp();
      expect(await result).to.deep.equal({ outcome: 'expired' });
      expect((await browser.finish()).status).to.equal(404);
      const next = await requestAndShow(there);
      const phone = await new PhonePerson(there.world).signIn('alice');
      await phone.scan(await next.browser.code());
      await phone.approve();
      expect((await next.browser.finish()).status).to.equal(200);
      expect((await next.approval.result).outcome).to.equal('approved');
    }));
});

describe('an action on two nodes', () => {
  storesMayTake(GENEROUS);

  let first: RedisWorld;
  let second: RedisWorld;

  before(async () => {
    first = await RedisWorld.start();
    second = await RedisWorld.start({ issuer: first.world.issuer }, first.redis);
  });

  after(async () => {
    await second?.stop();
    await first?.stop();
  });

  it('is requested on one node and approved on the other, and both get its result', async () => {
    const { approval, browser } = await requestAndShow(first);
    const found = await second.world.qr.findApproval(approval.id);
    if (found === undefined) throw new Error('the other node does not find the approval');
    const results = Promise.all([approval.result, found.result]);
    const phone = await new PhonePerson(second.world).signIn('alice');
    await phone.scan(found.code.replace(first.world.origin, second.world.origin));
    await phone.approve();
    await browser.finish();
    const [here, there] = await results;
    expect(here.outcome).to.equal('approved');
    expect(there).to.deep.equal(here);
  });

  it('is decided once, even if many decisions arrive at both nodes at the same time', async () => {
    const { approval, browser } = await requestAndShow(first);
    const ends = first.world.collectPayloads('qr_login.action');
    const elsewhere = second.world.collectPayloads('qr_login.action');
    const phone = await new PhonePerson(second.world).signIn('alice');
    await phone.scan(approval.code.replace(first.world.origin, second.world.origin));
    const other = new PhonePerson(first.world);
    Object.assign(other, {
      agent: phone.agent,
      csrf: phone.csrf,
      at: phone.at.replace(second.world.origin, first.world.origin),
    });
    const decisions = Array.from({ length: 20 }, (_, index) =>
      (index % 4 < 2 ? phone : other).decide(index % 2 === 0 ? 'approve' : 'deny'),
    );
    const states = (await Promise.all(decisions)).map((answer) => answer.json().state);
    expect(new Set(states).size).to.equal(1);
    await browser.finish();
    const { outcome } = await approval.result;
    expect(outcome).to.equal(states[0]);
    expect([...ends, ...elsewhere].length).to.equal(1);
  });
});

async function tokenOf({ world }: RedisWorld): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${SHOP}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'qr_action' });
  const answer = await fetch(`${world.issuer}/token`, { method: 'POST', body, headers: { authorization } });
  return ((await answer.json()) as { access_token: string }).access_token;
}
