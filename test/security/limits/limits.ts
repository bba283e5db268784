/** Row 17: limits stop endless requests, reveal nothing, and do not lock the victim out. */
import type { Attack } from '../attack.ts';
import { browserAt } from '../meeting.ts';
import {
  acts,
  countingAfterwards,
  few,
  isLimited,
  MOST_WATCHING,
  sendUntilLimited,
  UNKNOWN_INTERACTION,
  useUp,
} from './acts.ts';
import { evasions } from './evasions.ts';
import { lockouts } from './lockouts.ts';

const counted: Attack = {
  row: 17,
  name: 'shows, watches, finishes, scans, types, or decides without end',
  on: few,
  without: { name: 'limits', options: { qrLogin: { limits: false } } },
  run: async (site) => {
    const endless: string[] = [];
    for (const [act, send] of Object.entries(acts(site))) {
      const isStopped = await sendUntilLimited(() => send(), act === 'watch' ? MOST_WATCHING : undefined);
      if (!isStopped) endless.push(act);
    }
    return endless.length > 0 ? endless.join() : undefined;
  },
};

const oracle: Attack = {
  row: 17,
  name: 'learns which interactions exist from the answers over the limit',
  on: few,
  without: countingAfterwards,
  run: async (site) => {
    const browser = await browserAt(site);
    const at = (uid: string): string => `${site.issuer}/interaction/${uid}/qr`;
    const real = new URL(browser.at).pathname.split('/').at(-1) ?? '';
    await useUp(() => browser.agent.get(at(real)));
    const [known, unknown] = await Promise.all([real, UNKNOWN_INTERACTION].map((uid) => browser.agent.get(at(uid))));
    if (known === undefined || !isLimited(known)) throw new Error('there is no limit here');
    return known.status === unknown?.status
      ? undefined
      : `${known.status} for a known interaction, ${unknown?.status} for an unknown one`;
  },
};

export const attacks: Attack[] = [counted, oracle, ...evasions, ...lockouts];
