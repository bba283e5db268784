import { once } from 'node:events';
import { expect } from 'chai';
import type { Agent, Answer } from '../../support/agent.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { type BrowserPerson, PhonePerson, World } from '../../support/world.ts';

/** The number of requests that may wait for one account at the same time. */
const MOST = 6;

interface ScannedSignIn {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  /** The address in the code that the phone has scanned. */
  readonly code: string;
}

/** Sends a long poll of a page that knows this version. */
function sendLongPoll(
  { agent, at }: { agent: Agent; at: string },
  version: unknown,
  accept = 'text/html',
): Promise<Answer> {
  return agent.get(`${at}?after=${version}`, { headers: { accept } });
}

async function versionOf(phone: PhonePerson): Promise<unknown> {
  return (await phone.look()).json().version;
}

async function scan(world: World, parameters: Record<string, string> = {}): Promise<ScannedSignIn> {
  const meeting = await world.meet('alice', parameters);
  const code = await meeting.browser.code();
  expect((await meeting.phone.scan(code)).status).to.equal(200);
  return { ...meeting, code };
}

/** Steps of the browser, and the header `qr-login-state` of the answer that the phone gets afterwards. */
const ENDS: Record<string, { readonly act: (browser: BrowserPerson) => Promise<unknown>; readonly reason: string }> = {
  'is cancelled': { act: ({ agent, at }) => agent.post(`${at}/cancel`, { json: {} }), reason: 'cancelled' },
  'is renewed': { act: ({ agent, at }) => agent.post(`${at}/qr/renew`, { json: {} }), reason: 'renewed' },
};

describe('the page of a waiting phone', () => {
  let world: World;

  before(async () => {
    world = await World.start({ qrLogin: { assess: () => 'check code' } });
  });

  after(() => world?.stop());

  for (const [end, { act, reason }] of Object.entries(ENDS)) {
    it(`gets a new page immediately when the sign-in ${end}`, async () => {
      const { browser, phone } = await scan(world);
      const version = await versionOf(phone);
      const [waiting, forScript] = [sendLongPoll(phone, version), sendLongPoll(phone, version, 'application/json')];
      await act(browser);
      const { status, headers, text } = await waiting;
      expect([status, headers.get('qr-login-state')]).to.deep.equal([200, reason]);
      expect(text).to.include('data-error="over"').and.not.to.include('value="approve"');
      expect((await forScript).status).to.equal(410);
      expect((await forScript).json()).to.include({ error: 'over', reason });
    });
  }

  it('gets the next page when the browser is signed in, and the final page after three wrong numbers', async () => {
    const { browser, phone } = await scan(world);
    const { version, checkCode } = (await phone.approve()).json();
    const waiting = sendLongPoll(phone, version);
    await browser.finish(`${checkCode}`);
    const { status, headers, text } = await waiting;
    expect([status, headers.get('qr-login-state')]).to.deep.equal([200, 'redeemed']);
    expect(text).to.include('Signed in').and.not.to.include('data-follow');

    const other = await scan(world);
    let known = (await other.phone.approve()).json().version;
    for (let tries = 1; tries < 3; tries++) {
      const next = sendLongPoll(other.phone, known, 'application/json');
      await other.browser.finish('000000');
      ({ version: known } = (await next).json());
    }
    const last = sendLongPoll(other.phone, known);
    await other.browser.finish('000000');
    expect((await last).headers.get('qr-login-state')).to.equal('check-code');
  });

  it('gets the decision that was made on another page of the phone', async () => {
    const { phone } = await scan(world);
    const waiting = sendLongPoll(phone, await versionOf(phone));
    await phone.deny();
    expect((await waiting).headers.get('qr-login-state')).to.equal('denied');
  });

  it('learns that the ticket has expired, even though the ticket no longer exists', async () => {
    await World.during({ qrLogin: { deadlines: { decide: 1 } } }, async (own) => {
      const { phone } = await scan(own);
      const { status, headers, text } = await sendLongPoll(phone, await versionOf(phone));
      expect([status, headers.get('qr-login-state')]).to.deep.equal([200, 'expired']);
      expect(text).to.include('data-error="over"');
    });
  });

  it('gets an answer immediately if it knows another version, and a 400 if it sends no valid version', async () => {
    const { phone } = await scan(world);
    const { status, text } = await sendLongPoll(phone, 0);
    expect(status).to.equal(200);
    expect(text).to.include('value="approve"');
    expect((await sendLongPoll(phone, 'x', 'application/json')).json().error).to.equal('invalid_request');
  });

  it('learns nothing about the ticket of another phone, and nothing without a session', async () => {
    const { browser, phone } = await scan(world);
    const { at } = phone;
    const [bob, second] = await Promise.all([
      new PhonePerson(world).signIn('bob'),
      new PhonePerson(world).signIn('alice'),
    ]);
    const ask = ({ agent }: PhonePerson): Promise<Answer> => sendLongPoll({ agent, at }, 0, 'application/json');
    const unknown = `${at.slice(0, -4)}AAAA`;
    const foreign = await ask(bob);
    expect(foreign.status).to.equal(404);
    expect(foreign.text).to.equal((await sendLongPoll({ agent: bob.agent, at: unknown }, 0, 'application/json')).text);
    expect((await ask(second)).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    const stranger = await ask(new PhonePerson(world));
    expect(stranger.status).to.equal(401);
    for (const { headers } of [foreign, stranger]) expect(headers.get('qr-login-state')).to.equal('refused');
    expect((await ask({ agent: browser.agent } as PhonePerson)).status).to.equal(401);
  });

  it('learns nothing more about a ticket that another account takes over while it waits', async () => {
    const configuration = { features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } } };
    await World.during({ configuration }, async (own) => {
      const claims = JSON.stringify({ id_token: { sub: { value: 'b0b' } } });
      const { phone, code } = await scan(own, { claims });
      const bob = await new PhonePerson(own).signIn('bob');
      const waiting = sendLongPoll(phone, await versionOf(phone));
      expect((await bob.scan(code)).status).to.equal(200);
      expect((await waiting).headers.get('qr-login-state')).to.equal('expired');
    });
  });

  it('learns nothing more once the phone has signed out', async () => {
    const { browser, phone } = await scan(world);
    const waiting = sendLongPoll(phone, await versionOf(phone), 'application/json');
    await phone.signOut();
    await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    expect((await waiting).json()).to.include({ error: 'account_unavailable', reason: 'signed-out' });
  });

  it(`ends its oldest request if the account sends another one while ${MOST} wait`, async () => {
    const { browser, phone } = await scan(world);
    const version = await versionOf(phone);
    const all = Array.from({ length: MOST + 1 }, () => sendLongPoll(phone, version));
    expect((await Promise.race(all)).status).to.equal(204);
    await browser.agent.post(`${browser.at}/cancel`, { json: {} });
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.sort()).to.deep.equal([...Array.from({ length: MOST }, () => 200), 204]);
  });

  it('counts each request for the watch limit of its address, and one that is answered immediately for the limit of decisions of its account, too', async () => {
    const limits = { address: { watch: 3, decide: 3 }, account: { decide: 9 } };
    await World.during({ qrLogin: { limits } }, async (own) => {
      const { phone } = await scan(own);
      for (let asked = 0; asked < 2; asked++) expect((await sendLongPoll(phone, 0)).status).to.equal(200);
      expect((await sendLongPoll(phone, 0)).status).to.equal(429);
      expect((await phone.approve()).status).to.equal(200);
    });
    await World.during({ qrLogin: { limits: { account: { decide: 2 } } } }, async (own) => {
      const { browser, phone } = await scan(own);
      const version = await versionOf(phone);
      const waiting = sendLongPoll(phone, version);
      const asked = [await sendLongPoll(phone, 0), await sendLongPoll(phone, 0), await sendLongPoll(phone, 0)];
      expect(asked.map(({ status }) => status)).to.include(429);
      await browser.agent.post(`${browser.at}/cancel`, { json: {} });
      expect((await waiting).status).to.equal(200);
    });
  });

  it('gets an answer when the server stops', async () => {
    const own = await World.start();
    const { phone } = await scan(own);
    const version = await versionOf(phone);
    const [waiting] = [sendLongPoll(phone, version), await once(own.server, 'request')];
    await own.stop();
    expect((await waiting).status).to.equal(204);
  });
});

describe('the page of a phone at one node', () => {
  it("learns of the browser's acts at another node immediately", async () => {
    await RedisWorld.during({}, async (one) => {
      const two = await RedisWorld.start({ issuer: one.world.issuer }, one.redis);
      try {
        const { browser, phone } = await scan(one.world);
        const { version } = (await phone.approve()).json();
        const at = phone.at.replace(one.world.origin, two.world.origin);
        const [waiting] = [sendLongPoll({ agent: phone.agent, at }, version), await once(two.world.server, 'request')];
        await browser.finish();
        expect((await waiting).headers.get('qr-login-state')).to.equal('redeemed');
      } finally {
        await two.leave();
      }
    });
  });
});
