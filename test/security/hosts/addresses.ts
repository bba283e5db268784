/** Row 18: where a request comes from is what the network knows, and not what the request says. */
import { assessByDefault } from '../../../src/index.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import type { Attack, Weakness } from '../attack.ts';
import { must, signedIn } from '../pages/visits.ts';
import { believingTheFirst, countingSpellings, from } from './visits.ts';

const VICTIM = '203.0.113.7';
const ATTACKER = '198.51.100.9';
const MOST = 6;

const noProxy: WorldOptions = {};
const aProxy: WorldOptions = { proxy: true };
const oneProxy: WorldOptions = {
  proxy: true,
  extend: ({ provider }) => {
    provider.maxIpsCount = 1;
  },
};
const trustingAnybody: Weakness = { name: 'mistrust of X-Forwarded-For', options: { proxy: true } };
const trustingTheFirst: Weakness = { name: 'mistrust of the first entry', options: believingTheFirst };
const byAddress: Weakness = { name: 'counting by network', options: countingSpellings };

/** The attacker's browser and the victim's phone, as their requests arrive. */
interface Setting {
  readonly name: string;
  readonly server: WorldOptions;
  readonly without: Weakness;
  /** What arrives where the attacker says that it is somewhere. */
  readonly pretending: (address: string) => string;
}

const SETTINGS: Setting[] = [
  { name: 'where no proxy is declared', server: noProxy, without: trustingAnybody, pretending: (said) => said },
  {
    name: 'where a proxy adds the truth',
    server: aProxy,
    without: trustingTheFirst,
    pretending: (said) => `${said}, ${ATTACKER}`,
  },
  {
    name: 'where the one proxy adds the truth',
    server: oneProxy,
    without: trustingTheFirst,
    pretending: (said) => `${said}, ${said}, ${ATTACKER}`,
  },
  {
    name: 'where a proxy adds the truth to garbage',
    server: aProxy,
    without: trustingTheFirst,
    pretending: (said) => `${said}, unknown, , "_hidden", ${ATTACKER}`,
  },
];

export const addressAttacks: Attack[] = [
  ...SETTINGS.flatMap((setting) => [
    together(setting),
    beyondTheLimit(setting),
    unblocked(setting),
    ...(setting.server.proxy ? [inOnesName(setting)] : []),
  ]),
  ...[
    { name: 'of one IPv6 network', addresses: (n: number) => `2001:db8:1:2:${n}::${n}` },
    { name: 'that are one, written in many ways', addresses: (n: number) => SPELLINGS[n % SPELLINGS.length] ?? '' },
  ].map(({ name, addresses }) => manyAddresses(name, addresses)),
];

/** A static relay: without the check code, the victim's tap is enough. */
function together({ name, server, without, pretending }: Setting): Attack {
  return {
    row: 18,
    name: `is spared the check code by saying that it shares the phone's address, ${name}`,
    on: { ...server, qrLogin: { assess: assessByDefault } },
    without,
    run: async (site) => {
      const attacker = from(site, pretending(VICTIM));
      must(await attacker.start(), 200);
      const victim = await signedIn(site, 'alice', { 'x-forwarded-for': VICTIM });
      must(await victim.scan(await attacker.code()), 200);
      must(await victim.decide('approve'), 200);
      const finished = await attacker.finish();
      if (finished.status !== 200) return undefined;
      return (await attacker.tokens(finished.json().redirectTo)).claims()?.sub;
    },
  };
}

function beyondTheLimit({ name, server, without, pretending }: Setting): Attack {
  return tries(`tries more codes than one address may by saying that it is many, ${name}`, server, without, (n) =>
    pretending(`192.0.2.${n}`),
  );
}

function manyAddresses(name: string, addresses: (n: number) => string): Attack {
  return tries(`tries more codes than one address may from addresses ${name}`, aProxy, byAddress, addresses);
}

function tries(name: string, server: WorldOptions, without: Weakness, forwarded: (n: number) => string): Attack {
  return {
    row: 18,
    name,
    on: { ...server, qrLogin: { limits: { address: { scan: MOST } } } },
    without,
    run: async (site) => {
      const statuses: number[] = [];
      for (let n = 0; n <= MOST; n++) statuses.push(await tryCode(site, forwarded(n)));
      if (statuses[0] !== 404) throw new Error(`a code that nobody knows gets ${statuses}`);
      return statuses.includes(429) ? undefined : `${statuses.length} tries`;
    },
  };
}

/** After the victim has reported it, it shows another code from the same place. */
function unblocked({ name, server, without, pretending }: Setting): Attack {
  return {
    row: 18,
    name: `asks again whom it was reported by, by saying that it is elsewhere, ${name}`,
    on: server,
    without,
    run: async (site) => {
      const victim = await signedIn(site, 'alice', { 'x-forwarded-for': VICTIM });
      must(await reported(victim, from(site, pretending('192.0.2.1'))), 200);
      const again = from(site, pretending('192.0.2.2'));
      must(await again.start(), 200);
      must(await victim.scan(await again.code()), 200);
      const { state } = await again.ticket();
      return state === 'scanned' ? 'a ticket that may be approved' : undefined;
    },
  };
}

/** Somebody else shall pay for what it does. */
function inOnesName({ name, server, without, pretending }: Setting): Attack {
  return {
    row: 18,
    name: `uses up what somebody else may do by saying that it is them, ${name}`,
    on: { ...server, qrLogin: { limits: { address: { scan: MOST } } } },
    without,
    run: async (site) => {
      for (let n = 0; n <= MOST; n++) await tryCode(site, pretending(VICTIM));
      const status = await tryCode(site, VICTIM);
      return status === 429 ? `429 for ${VICTIM}` : undefined;
    },
  };
}

const SPELLINGS = ['203.0.113.9', '::ffff:203.0.113.9', '::FFFF:203.0.113.9'];

async function tryCode(site: Site, forwarded: string): Promise<number> {
  const { agent } = new PhoneVisitor(site, fetch, { 'x-forwarded-for': forwarded });
  return (await agent.get(`${site.issuer}/qr/${UNKNOWN_CODE}`)).status;
}

/** @returns the answer to the report */
async function reported(victim: PhoneVisitor, attacker: ReturnType<typeof from>) {
  must(await attacker.start(), 200);
  const { csrf } = must(await victim.scan(await attacker.code()), 200).json();
  return victim.post(victim.at, { csrf: `${csrf}`, decision: 'report' });
}
