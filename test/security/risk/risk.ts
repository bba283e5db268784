/** Row 16 of the table in docs/security.md: a refusal by the deployment or the user is final. */

import type { Verdict } from '../../../src/index.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import type { Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing, type Weakness } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanCode, sendDecision } from '../meeting.ts';
import { denials } from './denials.ts';
import { reports } from './reports.ts';
import { strangers } from './strangers.ts';

const STOLEN = 'a program that has stolen the cookies of the phone';

/**
 * Returns the options of a server that allows every sign-in, except that the thief's first decision gets `verdict(0)`,
 * the second one `verdict(1)`, and so on.
 */
function assessing(verdict: (turn: number) => Verdict): WorldOptions {
  const turnOf = (userAgent = ''): number | undefined =>
    userAgent.startsWith(STOLEN) ? Number(userAgent.slice(STOLEN.length)) : undefined;
  return {
    qrLogin: {
      assess: ({ phone }) => {
        const turn = turnOf(phone.userAgent);
        return turn === undefined ? 'allow' : verdict(turn);
      },
    },
    // The errors are deliberate, so they are not logged.
    extend: ({ app }) => {
      app.silent = true;
    },
  };
}

const unassessedApproval: Weakness = {
  defence: 'a second assessment on Approve',
  patch: replacing(
    PhoneActs.prototype,
    'approve',
    (original) =>
      function (this: PhoneActs, id, { judge: _unasked, ...approval }, seen) {
        return original.call(this, id, approval, seen);
      },
  ),
};

/** Approves with the phone's cookies, but from another user agent. */
async function approveAsThief(site: Site, tries = 1): Promise<string | undefined> {
  const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
  await scanCode(phone, attacker);
  for (let turn = 0; turn < tries; turn++) {
    await sendDecision(phone, { decision: 'approve' }, { 'user-agent': `${STOLEN} ${turn}` });
  }
  return followToRp(attacker, await attacker.finish());
}

const nonsense: readonly unknown[] = ['yes', true, 1, ['allow'], { verdict: 'allow' }, undefined, 'ALLOW', 'allow '];

const assessed: Attack[] = [
  {
    row: 16,
    name: 'finishes a sign-in that the deployment refuses',
    on: { qrLogin: { assess: () => 'deny' } },
    without: { defence: 'the assessment', options: { qrLogin: { assess: () => 'allow' } } },
    run: async (site) => {
      const [attacker, phone] = [await browserAt(site), await phoneOf(site)];
      await scanCode(phone, attacker);
      await sendDecision(phone, { decision: 'approve' });
      return followToRp(attacker, await attacker.finish());
    },
  },
  {
    row: 16,
    name: 'changes the assessed data between scan and Approve',
    on: assessing(() => 'deny'),
    without: unassessedApproval,
    run: (site) => approveAsThief(site),
  },
  {
    row: 16,
    name: "makes the deployment's assessment fail",
    on: assessing(() => {
      throw new Error('the risk engine is out of reach');
    }),
    without: unassessedApproval,
    run: (site) => approveAsThief(site),
  },
  {
    row: 16,
    name: 'makes the assessment return an invalid verdict',
    on: assessing((turn) => nonsense[turn] as Verdict),
    without: unassessedApproval,
    run: (site) => approveAsThief(site, nonsense.length),
  },
];

export const attacks: Attack[] = [...assessed, ...denials, ...reports, ...strangers];
