/**
 * Row 18 of the table in docs/security.md: the address of a client comes from the network and from trusted proxies, not
 * from the client.
 */
import { assessByAddress } from '../../support/assess-by-address.ts';
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import type { Attack, Weakness } from '../attack.ts';
import { must, signInPhone } from '../pages/visits.ts';
import { believingTheFirst, browserFrom, countingSpellings } from './visits.ts';

const VICTIM = '203.0.113.7';
const ATTACKER = '198.51.100.9';
const SCAN_LIMIT = 6;

const withoutProxy: WorldOptions = {};
const behindProxies: WorldOptions = { proxy: true };
const behindOneProxy: WorldOptions = { proxy: true, maxIpsCount: 1 };
const trustingHeaders: Weakness = { defence: 'distrust of X-Forwarded-For', options: { proxy: true } };
const trustingTheFirst: Weakness = {
  defence: 'distrust of the first entry of X-Forwarded-For',
  options: believingTheFirst,
};
const countedBySpelling: Weakness = { defence: 'counting by network', options: countingSpellings };

/** An arrangement of proxies in front of the server. */
interface Setting {
  readonly name: string;
  readonly server: WorldOptions;
  readonly without: Weakness;
  /** Returns the X-Forwarded-For header that reaches the server if the attacker forges this address. */
  readonly forwardedFor: (address: string) => string;
}

const SETTINGS: Setting[] = [
  {
    name: 'without a configured proxy',
    server: withoutProxy,
    without: trustingHeaders,
    forwardedFor: (forged) => forged,
  },
  {
    name: 'behind a proxy that adds the real address',
    server: behindProxies,
    without: trustingTheFirst,
    forwardedFor: (forged) => `${forged}, ${ATTACKER}`,
  },
  {
    name: 'behind exactly one proxy, which adds the real address',
    server: behindOneProxy,
    without: trustingTheFirst,
    forwardedFor: (forged) => `${forged}, ${forged}, ${ATTACKER}`,
  },
  {
    name: 'behind a proxy that adds the real address after malformed entries',
    server: behindProxies,
    without: trustingTheFirst,
    forwardedFor: (forged) => `${forged}, unknown, , "_hidden", ${ATTACKER}`,
  },
];

export const addressAttacks: Attack[] = [
  ...SETTINGS.flatMap((setting) => [
    avoidCheckCode(setting),
    forgeManyAddresses(setting),
    showAgainAfterReport(setting),
    ...(setting.server.proxy ? [useUpLimitOfVictim(setting)] : []),
  ]),
  ...[
    { name: 'of one IPv6 network', addresses: (n: number) => `2001:db8:1:2:${n}::${n}` },
    { name: 'that are spellings of one address', addresses: (n: number) => SPELLINGS[n % SPELLINGS.length] ?? '' },
  ].map(({ name, addresses }) => useManyAddresses(name, addresses)),
];

/** The attacker relays a code to the victim. Without the check code, the victim's tap on Approve is enough. */
function avoidCheckCode({ name, server, without, forwardedFor }: Setting): Attack {
  return {
    row: 18,
    name: `signs in to the victim's account without a check code by forging the address of the victim's phone, ${name}`,
    on: { ...server, qrLogin: { assess: assessByAddress } },
    without,
    run: async (site) => {
      const attacker = browserFrom(site, forwardedFor(VICTIM));
      must(await attacker.start(), 200);
      const victim = await signInPhone(site, 'alice', { 'x-forwarded-for': VICTIM });
      must(await victim.scan(await attacker.code()), 200);
      must(await victim.decide('approve'), 200);
      const finished = await attacker.finish();
      if (finished.status !== 200) return undefined;
      return (await attacker.tokens(finished.json().redirectTo)).claims()?.sub;
    },
  };
}

function forgeManyAddresses({ name, server, without, forwardedFor }: Setting): Attack {
  return openManyCodes(
    `opens more codes than the limit allows by forging another address for each, ${name}`,
    server,
    without,
    (n) => forwardedFor(`192.0.2.${n}`),
  );
}

function useManyAddresses(name: string, addresses: (n: number) => string): Attack {
  return openManyCodes(
    `opens more codes than the limit allows from addresses ${name}`,
    behindProxies,
    countedBySpelling,
    addresses,
  );
}

function openManyCodes(
  name: string,
  server: WorldOptions,
  without: Weakness,
  forwarded: (n: number) => string,
): Attack {
  return {
    row: 18,
    name,
    on: { ...server, qrLogin: { limits: { address: { scan: SCAN_LIMIT } } } },
    without,
    run: async (site) => {
      const statuses: number[] = [];
      for (let n = 0; n <= SCAN_LIMIT; n++) statuses.push(await tryCode(site, forwarded(n)));
      if (statuses[0] !== 404) throw new Error(`an unknown code gets ${statuses}`);
      return statuses.includes(429) ? undefined : `${statuses.length} codes`;
    },
  };
}

/** Shows another code from the attacker's address after the victim has reported that address. */
function showAgainAfterReport({ name, server, without, forwardedFor }: Setting): Attack {
  return {
    row: 18,
    name: `shows the victim, after a report, another code that may be approved, by forging another address, ${name}`,
    on: server,
    without,
    run: async (site) => {
      const victim = await signInPhone(site, 'alice', { 'x-forwarded-for': VICTIM });
      must(await reportSignIn(victim, browserFrom(site, forwardedFor('192.0.2.1'))), 200);
      const again = browserFrom(site, forwardedFor('192.0.2.2'));
      must(await again.start(), 200);
      must(await victim.scan(await again.code()), 200);
      const { state } = await again.ticket();
      return state === 'scanned' ? 'a ticket that may be approved' : undefined;
    },
  };
}

/** Uses up the limit of the victim's address with the attacker's requests. */
function useUpLimitOfVictim({ name, server, without, forwardedFor }: Setting): Attack {
  return {
    row: 18,
    name: `uses up the limit of the victim's address by forging it, ${name}`,
    on: { ...server, qrLogin: { limits: { address: { scan: SCAN_LIMIT } } } },
    without,
    run: async (site) => {
      for (let n = 0; n <= SCAN_LIMIT; n++) await tryCode(site, forwardedFor(VICTIM));
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

/** Has the victim scan and report the attacker's code. @returns the answer to the report */
async function reportSignIn(victim: PhoneVisitor, attacker: ReturnType<typeof browserFrom>) {
  must(await attacker.start(), 200);
  const { csrf } = must(await victim.scan(await attacker.code()), 200).json();
  return victim.post(victim.at, { csrf: `${csrf}`, decision: 'report' });
}
