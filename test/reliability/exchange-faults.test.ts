/** Tests the token endpoint with a failure at each single command that a request sends to Redis. */
import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import { storesMayTake } from '../stores/patience.ts';
import type { Answer } from '../support/agent.ts';
import { CommandProxy, commandsFor, HARMS, type Harm } from '../support/command-proxy.ts';
import { allOrFirst } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { RP_CALLBACK } from '../support/world.ts';
import { AdapterSite, tokensIn, type Visitor } from './adapter-site.ts';
import { lastOf, TIMEOUT_MS, untilAnswered } from './resume-site.ts';

/** In milliseconds. Long enough that a working Redis does not look broken on a busy machine. */
const PATIENCE_MS = 3_000;

/**
 * An exchange for tokens claims its record for four seconds, in which no other exchange gets the record. This script
 * ends all claims, as if their time had passed, and returns the number of claimed records that are consumed.
 */
const END_CLAIMS = `
local consumed = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TYPE', key).ok == 'hash' then
    local claim = redis.call('HGET', key, 'claim')
    if claim and not string.match(claim, ' 0$') then
      redis.call('HSET', key, 'claim', string.match(claim, '^%S+') .. ' 0')
      consumed = consumed + redis.call('HEXISTS', key, 'consumed')
    end
  end
end
return consumed
`;

/** Redeems a credential at a node. */
type Redeem = (node: number) => Promise<Answer>;

describe('the token endpoint', function () {
  this.timeout(TIMEOUT_MS);

  let redis: RedisServer;
  let proxy: CommandProxy;
  let stores: Keyv[];
  let site: AdapterSite;
  let visitor: Visitor;

  storesMayTake(PATIENCE_MS);

  before(async () => {
    redis = await RedisServer.start();
    proxy = await CommandProxy.start(redis.port);
    stores = [redisKeyv(proxy.url, 'exchange'), redisKeyv(redis.url, 'exchange')];
    site = await AdapterSite.start(...stores);
    visitor = site.visitor();
    visitor.node = 1;
    await visitor.signIn();
  });

  after(async () => {
    proxy?.heal();
    await site?.stop();
    await Promise.all((stores ?? []).map(cutOff));
    await proxy?.stop();
    await redis?.stop();
  });

  const REDEEM: Readonly<Record<string, () => Promise<Redeem>>> = {
    code: async () => {
      const code = await visitor.code();
      return (node) => site.redeem(node, code);
    },
    'refresh token': async () => {
      const { refresh } = tokensIn(await site.redeem(1, await visitor.code()));
      return (node) => site.refresh(node, refresh);
    },
  };

  for (const [what, make] of Object.entries(REDEEM)) {
    for (const harm of allOrFirst(HARMS)) {
      it(`accepts a ${what} again, but only once, after any one command has failed: ${harm}`, async () => {
        for (const at of commandsFor(harm, await commandsOf(await make()))) await expectRetry(await make(), at, harm);
      });
    }

    it(`accepts a ${what} at another node if the first node dies at any command before the ${what} is consumed`, async () => {
      for (const at of await commandsOf(await make())) await expectTakeover(await make(), at);
    });
  }

  it('accepts a code after a failure only with the right verifier', async () => {
    const code = await failAtLastCommand();
    expect((await redeemWithWrongVerifier(code)).json().error).to.equal('invalid_grant');
    expect((await site.redeem(1, code)).status).to.equal(200);
  });

  it('gives tokens to one of many concurrent requests with the same code after a failure', async () => {
    const code = await failAtLastCommand();
    // Once this request is answered, the code has been given back after the failure.
    await redeemWithWrongVerifier(code);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, turn) => site.redeem(turn % 2, code)));
    expect(answers.filter(({ status }) => status === 200)).to.have.lengthOf(1);
    for (const { status, text } of answers.filter((one) => one.status !== 200)) expect(status, text).to.equal(400);
  });

  function redeemWithWrongVerifier(code: string): Promise<Answer> {
    const form = { grant_type: 'authorization_code', code, redirect_uri: RP_CALLBACK };
    return site.ask(0, '/token', { ...form, code_verifier: 'x'.repeat(43) });
  }

  /** Sends a request that fails at its last command, after this command has consumed the code. @returns the code */
  async function failAtLastCommand(): Promise<string> {
    const redeem = await REDEEM.code?.();
    if (redeem === undefined) throw new Error('there is no code to redeem');
    // The count may be too high, because a first request loads the scripts and the node sends its own commands.
    for (let at = (await commandsOf(redeem)).at(-1) ?? 0; at > 0; at--) {
      const code = await visitor.code();
      await untilUp();
      proxy.harmAt(at, 'the connection is lost after Redis has run the command');
      const { status } = await site.redeem(0, code);
      await untilUp();
      if (status === 503) return code;
    }
    throw new Error('no command made the request fail');
  }

  /** Ends all claims. @returns the number of claimed records that are consumed */
  async function endClaims(): Promise<number> {
    return Number(await redis.command('EVAL', END_CLAIMS, '0'));
  }

  /** Returns the numbers of the commands that a request sends. The short suite tests the last ones only. */
  async function commandsOf(redeem: Redeem): Promise<number[]> {
    await untilUp();
    const all = await proxy.count(() => redeem(0));
    expect(all).to.be.greaterThan(8);
    return lastOf(all);
  }

  async function expectRetry(redeem: Redeem, at: number, harm: Harm): Promise<void> {
    await untilUp();
    proxy.harmAt(at, harm);
    const first = await redeem(0);
    proxy.heal();
    const answer = first.status === 503 ? await untilAnswered(() => redeem(0)) : first;
    expect(answer.status, `command ${at}: ${answer.text}`).to.equal(200);
    await expectReplayRefused(redeem, answer, `command ${at}`);
  }

  /** Lets the node die before or after the command, and expects that the other node gives tokens if none were sent. */
  async function expectTakeover(redeem: Redeem, at: number): Promise<void> {
    await untilUp();
    await endClaims();
    proxy.harmAt(
      at,
      at % 2 === 0 ? 'Redis is lost before it gets the command' : 'Redis is lost after it has run the command',
    );
    const lost = await redeem(0);
    const isConsumed = (await endClaims()) > 0;
    const answer = await redeem(1);
    // If the record is consumed, the tokens may have been sent, so that this request is a replay.
    expect(answer.status, `command ${at}: ${answer.text}`).to.equal(isConsumed ? 400 : 200);
    if (lost.status === 200) expect(isConsumed, `command ${at}`).to.equal(true);
    if (!isConsumed) await expectReplayRefused(redeem, answer, `command ${at}`);
  }

  /** Expects that a second use is refused, and revokes the tokens of the first one. */
  async function expectReplayRefused(redeem: Redeem, answer: Answer, hint: string): Promise<void> {
    const { access, refresh } = tokensIn(answer);
    expect((await site.me(1, access)).status, hint).to.equal(200);
    const replay = await redeem(1);
    expect(replay.status, `${hint}: ${replay.text}`).to.equal(400);
    expect(replay.json().error, hint).to.equal('invalid_grant');
    expect((await site.me(1, access)).status, hint).to.equal(401);
    expect((await site.refresh(1, refresh)).status, hint).to.equal(400);
  }

  /** Waits until the first node can reach Redis. The function polls, because there is no event for that. */
  async function untilUp(): Promise<void> {
    proxy.heal();
    await until(async () => (await site.health(0)).ok);
  }
});
