import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { redisKeyv } from '../stores/adapter/backends.ts';
import { GENEROUS, storesMayTake } from '../stores/patience.ts';
import type { Answer } from '../support/agent.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { fieldsIn } from '../support/relying-party.ts';
import { CLIENT_ID } from '../support/world.ts';
import { AdapterSite, CIBA_GRANT, DEVICE_GRANT, request, tokensIn, type Visitor } from './adapter-site.ts';

const ROUNDS = sizeOfSuite({ short: 2, full: 20 });
const A = 0;
const B = 1;

describe('with two nodes of oidc-provider on one Redis,', () => {
  let redis: RedisServer;
  let stores: Keyv[];
  let site: AdapterSite;
  let visitor: Visitor;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
    stores = [redisKeyv(redis.url, 'adapter'), redisKeyv(redis.url, 'adapter')];
    site = await AdapterSite.start(...stores);
  });

  after(async () => {
    await site?.stop();
    await Promise.all(stores?.map((store) => store.disconnect()) ?? []);
    await redis?.stop();
  });

  beforeEach(async () => {
    visitor = site.visitor();
    await visitor.signIn();
  });

  function expectRefused(answer: Answer, error = 'invalid_grant'): void {
    expect(answer.json()).to.include({ error });
    expect(answer.status).to.equal(400);
  }

  /**
   * Expects that exactly one of the answers has tokens, and that the others are refusals.
   * @returns the one with tokens
   */
  async function oneOf(answers: readonly Promise<Answer>[]): Promise<Answer> {
    const all = await Promise.all(answers);
    const [good, ...more] = all.filter(({ status }) => status === 200);
    const bad = all.filter(({ status }) => status !== 200);
    if (good === undefined || more.length > 0) throw new Error(all.map(({ text }) => text).join('\n'));
    for (const answer of bad) expectRefused(answer);
    return good;
  }

  describe('an authorization code', () => {
    it('is redeemed on one node after the other one has issued it, and its tokens work on both', async () => {
      const { access, refresh } = tokensIn(await site.redeem(B, await visitor.code()));
      expect((await site.me(A, access)).json()).to.include({ sub: 'a11ce' });
      expect((await site.me(B, access)).json()).to.include({ sub: 'a11ce' });
      expect((await site.refresh(A, refresh)).status).to.equal(200);
    });

    it('is refused on one node after it was redeemed on the other, and its tokens are revoked', async () => {
      const code = await visitor.code();
      const { access, refresh } = tokensIn(await site.redeem(A, code));
      expect((await site.me(B, access)).status).to.equal(200);
      expectRefused(await site.redeem(B, code));
      expect((await site.me(A, access)).status).to.equal(401);
      expect((await site.me(B, access)).status).to.equal(401);
      expectRefused(await site.refresh(A, refresh));
      expectRefused(await site.refresh(B, refresh));
      expectRefused(await site.redeem(A, code));
    });

    it(`gets tokens from one node if it is sent to both at the same time, in each of ${ROUNDS} rounds`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const code = await visitor.code();
        const inTurn = round % 2 === 0 ? [A, B] : [B, A];
        tokensIn(await oneOf(inTurn.map((node) => site.redeem(node, code))));
      }
    });

    it('gets tokens once if it is sent ten times to both nodes at the same time', async () => {
      const code = await visitor.code();
      tokensIn(await oneOf(Array.from({ length: 20 }, (_, turn) => site.redeem(turn % 2, code))));
    });
  });

  describe('a refresh token', () => {
    it('is used on one node, and the next one on the other', async () => {
      let { refresh } = tokensIn(await site.redeem(A, await visitor.code()));
      for (const node of [A, B, A, B]) {
        const next = tokensIn(await site.refresh(node, refresh));
        expect(next.refresh).not.to.equal(refresh);
        expect((await site.me(1 - node, next.access)).status).to.equal(200);
        refresh = next.refresh;
      }
    });

    it('is refused on one node after it was used on the other, and its whole family is revoked', async () => {
      const first = tokensIn(await site.redeem(A, await visitor.code()));
      const second = tokensIn(await site.refresh(A, first.refresh));
      const third = tokensIn(await site.refresh(B, second.refresh));
      expectRefused(await site.refresh(B, first.refresh));
      for (const { access, refresh } of [first, second, third]) {
        expect((await site.me(A, access)).status).to.equal(401);
        expect((await site.me(B, access)).status).to.equal(401);
        expectRefused(await site.refresh(A, refresh));
      }
    });

    it(`gets tokens from one node if it is sent to both at the same time, in each of ${ROUNDS} rounds`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const { refresh } = tokensIn(await site.redeem(A, await visitor.code()));
        const inTurn = round % 2 === 0 ? [A, B] : [B, A];
        tokensIn(await oneOf(inTurn.map((node) => site.refresh(node, refresh))));
      }
    });
  });

  describe('a device', () => {
    async function start(node: number): Promise<{ code: string; userCode: string }> {
      const started = (await site.ask(node, '/device/auth', { scope: 'openid profile' })).json();
      return { code: `${started.device_code}`, userCode: `${started.user_code}` };
    }

    function poll(node: number, code: string): Promise<Answer> {
      return site.ask(node, '/token', { grant_type: DEVICE_GRANT, device_code: code });
    }

    async function confirm(userCode: string): Promise<void> {
      expect((await visitor.confirmDevice(userCode)).text).to.include('Sign-in Success');
    }

    beforeEach(() => visitor.code());

    it('waits on one node until the user confirms on the other, where the device got its code', async () => {
      const { code, userCode } = await start(A);
      expectRefused(await poll(B, code), 'authorization_pending');
      expectRefused(await poll(A, code), 'authorization_pending');
      await confirm(userCode);
      const { access } = tokensIn(await poll(B, code));
      expect((await site.me(A, access)).json()).to.include({ sub: 'a11ce' });
    });

    it('gets no tokens on one node after it got some on the other, and those are revoked', async () => {
      const { code, userCode } = await start(B);
      await confirm(userCode);
      const { access, refresh } = tokensIn(await poll(A, code));
      expectRefused(await poll(B, code));
      expect((await site.me(A, access)).status).to.equal(401);
      expectRefused(await site.refresh(B, refresh));
    });

    it('has a user code that both nodes know, and that works once', async () => {
      const { code, userCode } = await start(A);
      visitor.node = B;
      await confirm(userCode);
      tokensIn(await poll(A, code));
      const asked = await visitor.open('/device');
      const { xsrf = '' } = fieldsIn(asked.text);
      visitor.node = A;
      const again = await visitor.submit('/device', { xsrf, user_code: userCode, confirm: 'yes' });
      expect(again.text).not.to.include('Sign-in Success');
    });
  });

  it('a client starts a backchannel authentication on one node and gets tokens from the other, once', async () => {
    const asked = await site.ask(A, '/backchannel', { scope: 'openid', login_hint: 'alice' });
    const id = `${asked.json().auth_req_id}`;
    const poll = (node: number): Promise<Answer> =>
      site.ask(node, '/token', { grant_type: CIBA_GRANT, auth_req_id: id });
    expectRefused(await poll(B), 'authorization_pending');
    const { Grant } = site.provider(A);
    const grant = new Grant({ clientId: CLIENT_ID, accountId: 'a11ce' });
    grant.addOIDCScope('openid');
    await grant.save();
    await site.provider(A).backchannelResult(id, grant);
    const { access } = tokensIn(await poll(B));
    expect((await site.me(A, access)).status).to.equal(200);
    expectRefused(await poll(A));
    expect((await site.me(B, access)).status).to.equal(401);
  });

  it('a request that was pushed to one node is answered on the other, once', async () => {
    const { client_id: clientId = '' } = request();
    const pushed = (await site.ask(A, '/request', request())).json();
    const reference = { client_id: clientId, request_uri: `${pushed.request_uri}` };
    visitor.node = B;
    tokensIn(await site.redeem(A, await visitor.code(reference)));
    visitor.node = A;
    const again = await visitor.open(`/auth?${new URLSearchParams(reference)}`);
    expect(new URL(again.location).searchParams.get('error')).to.equal('invalid_request_uri');
  });

  it('a sign-in on one node is valid on the other, and a sign-out on one ends the session on both', async () => {
    const stranger = site.visitor();
    stranger.node = B;
    expect((await stranger.open('/account')).status).to.equal(302);
    visitor.node = B;
    expect((await visitor.open('/account')).text).to.include('Alice Liddell');
    visitor.node = A;
    const asked = await visitor.open('/session/end');
    const { xsrf = '' } = fieldsIn(asked.text);
    await visitor.submit('/session/end/confirm', { xsrf, logout: 'yes' });
    for (const node of [B, A]) {
      visitor.node = node;
      expect((await visitor.open('/account')).status).to.equal(302);
    }
  });

  it('a client that was registered on one node is known on the other', async () => {
    const token = await site.initialAccessToken(A);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ redirect_uris: ['https://rp.example/cb'] });
    const registered = await site.network(B)(`${site.issuer}/reg`, { method: 'POST', headers, body });
    expect(registered.status).to.equal(201);
    const client: { registration_client_uri: string; registration_access_token: string } = JSON.parse(
      await registered.text(),
    );
    const authorization = `Bearer ${client.registration_access_token}`;
    const known = await site.network(A)(client.registration_client_uri, { headers: { authorization } });
    expect(known.status).to.equal(200);
  });
});
