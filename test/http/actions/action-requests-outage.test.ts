/** Actions while the store cannot be reached, and on two nodes that share a store. */
import { expect } from 'chai';
import type { Approval } from '../../../src/index.ts';
import { SHOP, shopClient } from '../../fixtures/test-client.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { until } from '../../support/until.ts';
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

  it('says to try again at each step while Redis is stopped, then goes on, and gives its result once', () =>
    RedisWorld.during({ clients: [shopClient()], qrLogin: { assess: () => 'check code' } }, async (there) => {
      const { world } = there;
      const ends = world.collectPayloads('qr_login.action');
      const finished = world.collectPayloads('qr_login.finished');
      const authorization = `Bearer ${await tokenOf(there)}`;
      const browser = new ActionBrowser(world);
      const asked = await browser.agent.post(`${world.issuer}/qr/actions`, {
        headers: { authorization },
        json: { ...PAYMENT, sub: ALICE },
      });
      browser.at = `${asked.json().url}`;
      const page = (): Promise<Answer> => browser.agent.get(browser.at, { headers: HTML });
      await page();
      await browser.agent.post(browser.at, { form: {} });
      const phone = await new PhonePerson(world).signIn('alice');
      const stream = await browser.events();
      const code = await browser.code();
      const poll = (): Promise<Answer> =>
        browser.agent.get(`${browser.at}/result?wait=0`, { headers: { authorization } });

      await whileStopped(there, async () => {
        expectPageToTryAgain(await page());
        expectToTryAgain(await phone.scan(code));
        expectToTryAgain(await poll());
      });
      expect((await phone.scan(code)).status).to.equal(200);
      await stream.ticket('scanned');

      await whileStopped(there, async () => {
        expectPageToTryAgain(await page());
        expectPageToTryAgain(await phone.agent.get(phone.at, { headers: HTML }));
        expectToTryAgain(await phone.decide('approve'));
        expectToTryAgain(await poll());
      });
      expect((await poll()).json().state).to.equal('scanned');
      const checkCode = `${(await phone.decide('approve')).json().checkCode}`;
      await stream.ticket('approved');

      await whileStopped(there, async () => {
        expectPageToTryAgain(await page());
        expectToTryAgain(await browser.finish(checkCode));
        expectToTryAgain(await poll());
      });
      expect((await poll()).json().state).to.equal('confirming');
      expect((await browser.finish(checkCode)).status).to.equal(200);
      const results = [await poll(), await poll()].map((answer) => answer.json());
      expect(results[0]).to.include({ state: 'approved' });
      expect(results[1]).to.deep.equal(results[0]);
      await until(() => ends.length > 0);
      expect([ends.length, finished.length]).to.deep.equal([1, 1]);
      stream.close();
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

const HTML = { accept: 'text/html' };

/** Runs an act while Redis answers nothing. */
async function whileStopped(there: RedisWorld, act: () => Promise<void>): Promise<void> {
  there.pause();
  try {
    await act();
  } finally {
    await there.resume();
  }
}

/** Expects the answer that tells a program to repeat its request. */
function expectToTryAgain(answer: Answer): void {
  expect([answer.status, answer.json().error], answer.url.pathname).to.deep.equal([503, 'store_unavailable']);
  expect(answer.headers.get('retry-after')).to.equal('2');
}

/** Expects a page that says what is wrong, and whose link opens the same address again. */
function expectPageToTryAgain(answer: Answer): void {
  expect(answer.status, answer.url.pathname).to.equal(503);
  expect(answer.headers.get('retry-after')).to.equal('2');
  expect(answer.text).to.include('data-error="store_unavailable"').and.not.include('data-qr-login');
  expect(answer.text).to.match(/href=""[^>]*>\s*Try again/);
}

async function tokenOf({ world }: RedisWorld): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${SHOP}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'qr_action' });
  const answer = await fetch(`${world.issuer}/token`, { method: 'POST', body, headers: { authorization } });
  return ((await answer.json()) as { access_token: string }).access_token;
}
