import { expect } from 'chai';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import { RedisNotes } from '../../../src/stores/redis/notes.ts';
import type { Notes } from '../../../src/ticket/ports.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Answer } from '../../support/agent.ts';
import { AppPerson } from '../../support/app.ts';
import { networkTo } from '../../support/balancer.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { World } from '../../support/world.ts';
import { prove, registerSides, replacing, siteOf, type Weakness, whilePatched } from '../attack.ts';
import { openQrPage } from '../scene.ts';
import { all } from '../weaknesses.ts';
import { attacks } from './apps.ts';

prove('an attacker with a credential of an app', attacks);

const AT_ONCE = 50;

/**
 * Claims the note of a proof in two steps: reads it, and writes it later, as `ReplayDetection` of oidc-provider does.
 * The first read ends after the second one has begun, so that they always race.
 */
function findThenSave(): Notes['claim'] {
  const second = new Map<string, () => void>();
  return async function (this: Notes, name, lasts) {
    const isUnknown = (await this.read(name)) === undefined;
    const release = second.get(name);
    if (release === undefined) await new Promise<void>((resolve) => second.set(name, resolve));
    else release();
    await this.write(name, lasts);
    return isUnknown;
  };
}

const inTwoSteps: Weakness = {
  defence: 'a claim in one step',
  patch: all(
    replacing(KeyvNotes.prototype, 'claim', findThenSave),
    replacing(RedisNotes.prototype, 'claim', findThenSave),
  ),
};

/** Sends one proof many times at the same time, to all nodes. @returns the number of answers that accepted it */
async function acceptances(world: World, networks: readonly (typeof fetch)[]): Promise<number> {
  const app = await new AppPerson(world).signIn();
  // A request without a nonce gets a nonce, and its proof is not noted as used.
  await app.request('GET', '/qr/api/browsers', { retries: false });
  const headers = await app.headersFor('GET', '/qr/api/browsers');
  const send = async (network: typeof fetch): Promise<Pick<Answer, 'status' | 'text'>> => {
    const answer = await network(`${world.issuer}/qr/api/browsers`, { headers });
    return { status: answer.status, text: await answer.text() };
  };
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, turn) => send(networks[turn % networks.length] ?? fetch)),
  );
  for (const { status, text } of answers) expect([200, 401], text).to.include(status);
  return answers.filter(({ status }) => status === 200).length;
}

describe('a DPoP proof that is sent 50 times at the same time', () => {
  storesMayTake(GENEROUS);

  const inMemory = async (): Promise<number> => {
    let accepted = 0;
    await World.during({}, async (world) => {
      accepted = await acceptances(world, [fetch]);
    });
    return accepted;
  };

  const onRedis = async (): Promise<number> => {
    const first = await RedisWorld.start();
    const { issuer } = first.world;
    const second = await RedisWorld.start({ issuer }, first.redis);
    try {
      return await acceptances(first.world, [networkTo(first.world, issuer), networkTo(second.world, issuer)]);
    } finally {
      await second.world.stop();
      await first.stop();
    }
  };

  for (const [where, race] of Object.entries({ 'in memory': inMemory, 'on two nodes with Redis': onRedis })) {
    registerSides(`row 38: counts more than once ${where}`, {
      lacks: inTwoSteps.defence,
      succeeds: async () => {
        expect(await whilePatched(inTwoSteps, race)).to.be.greaterThan(1);
      },
      fails: async () => {
        expect(await race()).to.equal(1);
      },
    });
  }
});

describe('an app that sends a cookie and a token', () => {
  it('acts for the account of the token', async () => {
    await World.during({}, async (world) => {
      const [alice, bob] = [await new AppPerson(world).signIn('alice'), await new AppPerson(world).signIn('bob')];
      const browser = await openQrPage(siteOf(world));
      const headers = { cookie: await bob.cookies() };
      const body = { code: await browser.code() };
      const scanned = await alice.request('POST', '/qr/api/scans', { body, headers });
      expect(scanned.json().account).to.deep.equal({ name: 'Alice Liddell' });
      expect(scanned.headers.getSetCookie()).to.deep.equal([]);
    });
  });
});
