/** The plugin's keys in Redis name no account, no network address and no session. */
import { expect } from 'chai';
import { assessByDefault } from '../../../src/index.ts';
import { IssuerKeys } from '../../../src/stores/issuer/issuer-keys.ts';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import type { Agent } from '../../support/agent.ts';
import { ownBrowsers, signOut } from '../../support/own-browsers.ts';
import { RedisWorld } from '../../support/redis-world.ts';
import { shortCodeOn, typeIn } from '../../support/typing.ts';
import { BrowserPerson, PhonePerson, type World, type WorldOptions } from '../../support/world.ts';
import { registerSides, replacing, type Weakness, whilePatched } from '../attack.ts';
import { all } from '../weaknesses.ts';

const BROWSER = '203.0.113.7';
const PHONE = '198.51.100.9';
const JSON_PLEASE = { accept: 'application/json' };

const OPTIONS: WorldOptions = {
  proxy: true,
  qrLogin: {
    shortCode: true,
    assess: assessByDefault,
    // These two limits are low, so that they are reached. The others have their defaults, which are not reached.
    limits: { address: { watch: 20 }, account: { shortCode: 1 } },
  },
};

/** A store whose keys are readable names. */
const readableKeys: Weakness = {
  defence: 'MACs for keys',
  patch: all(
    replacing(IssuerKeys.prototype, 'currentKey', () => (_kind, name) => name),
    replacing(IssuerKeys.prototype, 'keysOf', () => (_kind, name) => ({ current: name, older: [] })),
  ),
};

/** The data that no key may contain, by kind. */
type PersonalData = Map<string, string>;

interface Findings {
  /** The kinds of keys that were there: `browsers`, `limit address`. */
  readonly kinds: ReadonlySet<string>;
  readonly named: readonly string[];
}

describe('the keys in Redis', () => {
  storesMayTake(GENEROUS);

  registerSides('name no account, address or session after sign-ins and refusals', {
    lacks: readableKeys.defence,
    succeeds: async () => {
      const { named } = await whilePatched(readableKeys, findings);
      expect(named).to.include.members(['the account', "the browser's address", "the phone's address"]);
    },
    fails: async () => {
      const { kinds, named } = await findings();
      // The plugin has written a key of each kind.
      expect([...kinds].sort()).to.deep.equal([
        'browsers',
        'interaction',
        'known',
        'limit account',
        'limit address',
        'note',
        'ticket',
      ]);
      expect(named).to.deep.equal([]);
    },
  });
});

async function findings(): Promise<Findings> {
  const keys = new Set<string>();
  const data: PersonalData = new Map([
    ['the account', 'a11ce'],
    ["the browser's address", BROWSER],
    ["the phone's address", PHONE],
  ]);
  await RedisWorld.during(OPTIONS, async ({ world, redis }) => {
    const collect = async (): Promise<void> => {
      // Look only at the plugin's keys. The keys of oidc-provider's records are made by `keyvAdapter`.
      for (const key of (await redis.command('KEYS', 'keyv:qr:*')) as string[]) keys.add(key.slice('keyv:qr:'.length));
    };
    const phone = new PhonePerson(world, { 'x-forwarded-for': PHONE });
    const browser = new BrowserPerson(world, { 'x-forwarded-for': BROWSER });
    await phone.signIn();
    await signInWithCheckCode(phone, browser);
    for (const { agent } of [phone, browser]) await addSession(data, world, agent);
    await collect();
    await reportAndType(phone, new BrowserPerson(world, { 'x-forwarded-for': BROWSER }));
    await reachLimit(browser);
    expect((await ownBrowsers(phone)).known).to.have.length(1);
    await signOut(phone, 'all');
    await collect();
  });
  const isNamed = (value: string): boolean => [...keys].some((key) => key.includes(value));
  return {
    kinds: new Set([...keys].map(kindOf)),
    named: [...data].filter(([, value]) => isNamed(value)).map(([name]) => name),
  };
}

/** Signs the browser in with a wrong and then the right check code, and makes the account trust the browser. */
async function signInWithCheckCode(phone: PhonePerson, browser: BrowserPerson): Promise<void> {
  await browser.start();
  await phone.scan(await browser.code());
  const { checkCode } = (await phone.approve({ remember: 'yes' })).json();
  const wrong = `${(Number(checkCode) + 1) % 1_000_000}`.padStart(6, '0');
  expect((await browser.finish(wrong)).json().error).to.equal('wrong_check_code');
  await browser.arriveFrom(`${(await browser.finish(`${checkCode}`)).json().redirectTo}`);
}

/** Reports a sign-in, and types its short code more often than the account may. */
async function reportAndType(phone: PhonePerson, browser: BrowserPerson): Promise<void> {
  await browser.start();
  const shortCode = await shortCodeOn(browser);
  await phone.scan(await browser.code());
  expect((await phone.decide('report')).status).to.equal(200);
  await typeIn(phone, phone.world, shortCode);
  expect((await typeIn(phone, phone.world, shortCode)).status).to.equal(429);
}

/** Watches a sign-in more often than an address may. */
async function reachLimit({ agent, at }: BrowserPerson): Promise<void> {
  for (let times = 0; times < 20; times++) await agent.get(`${at}/qr`, { headers: JSON_PLEASE });
  expect((await agent.get(`${at}/qr`, { headers: JSON_PLEASE })).status).to.equal(429);
}

/** Adds the id in the agent's cookie and the `uid` of its session. */
async function addSession(data: PersonalData, { provider, issuer }: World, agent: Agent): Promise<void> {
  const cookies = await agent.jar.getCookies(issuer);
  const id = cookies.find(({ key }) => key === '_session')?.value ?? '';
  const uid = (await provider.Session.find(id))?.uid ?? '';
  expect(uid).to.match(/^[\w-]{20,}$/);
  data.set(`a session's id ${data.size}`, id).set(`a session's uid ${data.size}`, uid);
}

/** Returns the kind of a key: `{1234}:ticket:…`, `note:mac:…`, `limitaddress:watch:mac:…`. */
function kindOf(key: string): string {
  const [, kind = key, by = ''] =
    /^(?:\{[\da-f]{4}\}:)?(?:(ticket|interaction|known|browsers|note)|limit:?(\w+)):/.exec(key) ?? [];
  return by === '' ? kind : `limit ${by}`;
}
