/** Two providers with different issuers on one Redis, with the same namespace and secrets. */
import { expect } from 'chai';
import { assessByDefault } from '../../../src/index.ts';
import { IssuerKeys } from '../../../src/stores/issuer/issuer-keys.ts';
import { RedisTicketStore } from '../../../src/stores/redis/ticket-store.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Agent } from '../../support/agent.ts';
import { codeIn } from '../../support/codes.ts';
import { ownBrowsers, signInBy, signOut } from '../../support/own-browsers.ts';
import { RedisServer } from '../../support/redis.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { shortCodeOn, typeIn } from '../../support/typing.ts';
import { BrowserPerson, PhonePerson, type World, type WorldOptions } from '../../support/world.ts';
import { registerSides, replacing, type Weakness, whilePatched } from '../attack.ts';
import { all } from '../weaknesses.ts';

/** Acts of one provider against the users of the other, which must fail. */
interface Crossing {
  readonly name: string;
  readonly options?: WorldOptions['qrLogin'];
  /** @returns a description of the effect on the other provider; undefined if there is none */
  readonly run: (one: World, other: World) => Promise<string | undefined>;
}

const JSON_PLEASE = { accept: 'application/json' };
const TIMES = 5;

const CROSSINGS: readonly Crossing[] = [
  {
    name: 'a code of one is scanned at the other',
    run: async (one, other) => {
      const browser = await shownAt(one);
      const phone = await new PhonePerson(other).signIn();
      const answer = await phone.scan(`${other.issuer}/qr/${codeIn(await browser.code())}`);
      return answer.status === 404 ? undefined : `${answer.status}`;
    },
  },
  {
    name: 'a short code of one is typed at the other',
    options: { shortCode: true },
    run: async (one, other) => {
      const browser = await shownAt(one);
      const answer = await typeIn(await new PhonePerson(other).signIn(), other, await shortCodeOn(browser));
      return answer.status === 404 ? undefined : `${answer.status}`;
    },
  },
  {
    name: 'the browser of one watches and replaces its sign-in at the other',
    run: async (one, other) => {
      const browser = await shownAt(one);
      const { version } = await browser.ticket();
      // Both providers find the interaction in the shared records, and have the same keys for the cookies.
      const there = `${other.issuer}/interaction/${browser.uid}/qr`;
      const answers = [await browser.agent.get(there), await browser.agent.post(`${there}/renew`, { json: {} })];
      const seen = answers.find(({ status, text }) => status < 400 && text.includes('"waiting"'));
      const { version: after } = await browser.ticket();
      return seen === undefined && after === version ? undefined : `${seen?.status} ${version} ${after}`;
    },
  },
  {
    name: "an account's list at the other has the browsers of the account with the same id at one",
    run: async (one, other) => {
      await signInBy(await new PhonePerson(one).signIn(), await shownAt(one));
      const { browsers } = await ownBrowsers(await new PhonePerson(other).signIn());
      return browsers[0]?.name;
    },
  },
  {
    name: 'a browser that is trusted at one needs no check code at the other',
    options: { assess: assessByDefault },
    run: async (one, other) => {
      const browser = await shownAt(one);
      const phone = await new PhonePerson(one).signIn();
      await phone.scan(await browser.code());
      const { checkCode } = (await phone.approve({ remember: 'yes' })).json();
      await browser.arriveFrom(`${(await browser.finish(`${checkCode}`)).json().redirectTo}`);
      expect((await ownBrowsers(phone)).known).to.have.length(1);
      const next = new BrowserPerson(other);
      await copyMemory(browser.agent, next.agent, other);
      await next.start();
      const there = await new PhonePerson(other).signIn();
      await there.scan(await next.code());
      const approved = (await there.approve()).json();
      expect(approved.state).to.equal('approved');
      return approved.checkCode === undefined ? 'no check code' : undefined;
    },
  },
  {
    name: 'requests to one use up the limit of the other',
    options: { limits: { address: { scan: TIMES } } },
    run: async (one, other) => {
      const scan = async ({ issuer }: World): Promise<number> =>
        (await new PhonePerson(one).agent.get(`${issuer}/qr/${'A'.repeat(46)}`, { headers: JSON_PLEASE })).status;
      const answers = [];
      for (let count = 0; count <= TIMES; count++) answers.push(await scan(one));
      expect(answers.at(-1)).to.equal(429);
      const answer = await scan(other);
      return answer === 429 ? `${answer}` : undefined;
    },
  },
  {
    name: 'a report at one blocks the address for the account of the same id at the other',
    run: async (one, other) => {
      const reporter = await new PhonePerson(one).signIn();
      await reporter.scan(await (await shownAt(one)).code());
      expect((await reporter.decide('report')).status).to.equal(200);
      const phone = await new PhonePerson(other).signIn();
      await phone.scan(await (await shownAt(other)).code());
      const { state } = (await phone.approve()).json();
      return state === 'approved' ? undefined : `${state}`;
    },
  },
  {
    name: '"Sign out all" at one revokes a sign-in that was approved at the other',
    run: async (one, other) => {
      const browser = await shownAt(other);
      const phone = await new PhonePerson(other).signIn();
      await phone.scan(await browser.code());
      await phone.approve();
      const { redirectTo } = (await browser.finish()).json();
      await signOut(await new PhonePerson(one).signIn(), 'all');
      const arrived = await browser.arriveFrom(`${redirectTo}`).catch((error: unknown) => `${error}`);
      return arrived instanceof URL && arrived.searchParams.has('code') ? undefined : `${arrived}`;
    },
  },
];

async function shownAt(world: World): Promise<BrowserPerson> {
  const browser = new BrowserPerson(world);
  await browser.start();
  return browser;
}

async function copyMemory(from: Agent, to: Agent, { issuer }: World): Promise<void> {
  const memory = (await from.jar.store.getAllCookies()).filter(
    ({ key, path }) => key.startsWith('_qr_memory') && path === '/interaction',
  );
  expect(memory).to.have.length(2);
  for (const { key, value } of memory) await to.jar.setCookie(`${key}=${value}; Path=/interaction`, issuer);
}

/** Returns the ticket as an earlier version stored it. */
function withoutIssuer(ticket: (Ticket & { readonly issuer?: string }) | undefined): Ticket | undefined {
  const { issuer: _issuer, ...rest } = ticket ?? {};
  return ticket && (rest as Ticket);
}

/** A store whose keys are the readable names, and whose tickets do not contain their issuer. */
const noIssuers: Weakness = {
  defence: 'the issuer in the keys and in the tickets',
  patch: all(
    replacing(IssuerKeys.prototype, 'currentKey', () => (_kind, name) => name),
    replacing(IssuerKeys.prototype, 'keysOf', () => (_kind, name) => ({ current: name, older: [] })),
    replacing(
      RedisTicketStore.prototype,
      'find',
      (original) =>
        async function (this: RedisTicketStore, id) {
          return withoutIssuer(await original.call(this, id));
        },
    ),
    replacing(
      RedisTicketStore.prototype,
      'findByInteraction',
      (original) =>
        async function (this: RedisTicketStore, uid) {
          return withoutIssuer(await original.call(this, uid));
        },
    ),
  ),
};

describe('two issuers on one Redis, with the same namespace and secrets', () => {
  storesMayTake(GENEROUS);

  let redis: RedisServer;

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  async function cross({ options, run }: Crossing): Promise<string | undefined> {
    await redis.command('FLUSHALL');
    const nodes: RedisWorld[] = [];
    try {
      for (let count = 0; count < 2; count++) {
        nodes.push(await RedisWorld.start({ qrLogin: { ...options } }, redis));
      }
      const [one, other] = nodes as [RedisWorld, RedisWorld];
      expect(one.world.issuer).not.to.equal(other.world.issuer);
      return await run(one.world, other.world);
    } finally {
      for (const node of nodes) await node.leave();
    }
  }

  for (const crossing of CROSSINGS) {
    registerSides(crossing.name, {
      lacks: noIssuers.defence,
      succeeds: async () => {
        expect(await whilePatched(noIssuers, () => cross(crossing))).to.be.a('string');
      },
      fails: async () => {
        expect(await cross(crossing)).to.equal(undefined);
      },
    });
  }
});
