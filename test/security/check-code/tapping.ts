/**
 * Row 13 of the table in docs/security.md: the user taps one of three numbers. A victim who does not see the attacker's
 * browser gets one blind tap for each ticket.
 */
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanCode, sendDecision } from '../meeting.ts';

const TRIES = 30;
const FEW = 3;

const tapping: WorldOptions = {
  qrLogin: { checkCodeEntry: 'tap', assess: () => 'check code', limits: { account: { scan: 1000, decide: 1000 } } },
};
const paused: WorldOptions = {
  qrLogin: {
    checkCodeEntry: 'tap',
    assess: () => 'check code',
    limits: { account: { scan: 1000, decide: 1000, checkCode: 1000, consecutiveCheckCodes: FEW } },
  },
};

/** Numbers that are the same for each ticket. */
const sameForAll = replacing(
  SecretKeys.prototype,
  'mac',
  (original) =>
    function (this: SecretKeys, purpose, ...parts) {
      return original.call(this, purpose, ...(purpose === 'match' ? ['any ticket'] : parts));
    },
);

export const numberTapAttacks: Attack[] = [
  {
    row: 13,
    name: 'gets an approval without a number from a victim who taps blindly',
    on: tapping,
    without: { defence: 'the numbers', options: { qrLogin: { assess: () => 'allow' } } },
    run: async (site) => {
      const attacker = await browserAt(site);
      const victim = await phoneOf(site);
      await scanCode(victim, attacker);
      await sendDecision(victim, { decision: 'approve' });
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 13,
    name: 'tells a victim the number of another ticket',
    on: tapping,
    without: { defence: 'numbers for each ticket', patch: sameForAll },
    run: async (site) => {
      const number = await numberOf(site);
      // There are only 90 numbers, so two tickets may have the same number by chance.
      const others = [await numberOf(site), await numberOf(site), await numberOf(site), await numberOf(site)];
      return others.every((other) => other === number) ? `${number} for every ticket` : undefined;
    },
  },
  {
    row: 13,
    name: 'lets one victim tap blindly again and again',
    on: paused,
    without: { defence: 'the pause', options: { qrLogin: { limits: false } } },
    run: async (site) => {
      const victim = await phoneOf(site);
      let wrong = 0;
      for (let tries = 0; tries < TRIES; tries++) {
        const attacker = await browserAt(site);
        if ((await victim.scan(await attacker.code())).status !== 200) return undefined;
        const { numbers } = (await victim.look()).json() as { numbers: string[] };
        const { number } = await attacker.ticket();
        // Assume the worst case for the limit: the victim never taps the right number by chance.
        await sendDecision(victim, { decision: 'approve', match: numbers.find((one) => one !== number) ?? '' });
        wrong += 1;
      }
      return `${wrong} wrong taps`;
    },
  },
];

async function numberOf(site: Parameters<typeof browserAt>[0]): Promise<string> {
  const browser = await browserAt(site);
  await scanCode(await phoneOf(site), browser);
  return `${(await browser.ticket()).number}`;
}
