/**
 * Row 17 of the table in docs/security.md: limits stop endless requests, reveal nothing, and do not lock the victim
 * out.
 */
import type { Attack } from '../attack.ts';
import { browserAt } from '../meeting.ts';
import {
  countedAfterwards,
  isLimited,
  OVER_DEFAULT_WATCHES,
  requestsByAct,
  sendUntilLimited,
  smallLimits,
  UNKNOWN_INTERACTION,
  useUpLimit,
} from './acts.ts';
import { evasions } from './evasions.ts';
import { lockouts } from './lockouts.ts';

const endlessRequests: Attack = {
  row: 17,
  name: 'repeats a request without end: show, watch, finish, scan, type a short code, or decide',
  on: smallLimits,
  without: { defence: 'limits', options: { qrLogin: { limits: false } } },
  run: async (site) => {
    const endless: string[] = [];
    for (const [act, send] of Object.entries(requestsByAct(site))) {
      const isStopped = await sendUntilLimited(() => send(), act === 'watch' ? OVER_DEFAULT_WATCHES : undefined);
      if (!isStopped) endless.push(act);
    }
    return endless.length > 0 ? endless.join() : undefined;
  },
};

const oracle: Attack = {
  row: 17,
  name: 'learns whether an interaction exists from the answers to requests over the limit',
  on: smallLimits,
  without: countedAfterwards,
  run: async (site) => {
    const browser = await browserAt(site);
    const at = (uid: string): string => `${site.issuer}/interaction/${uid}/qr`;
    const real = new URL(browser.at).pathname.split('/').at(-1) ?? '';
    await useUpLimit(() => browser.agent.get(at(real)));
    const [known, unknown] = await Promise.all([real, UNKNOWN_INTERACTION].map((uid) => browser.agent.get(at(uid))));
    if (known === undefined || !isLimited(known)) throw new Error('there is no limit here');
    return known.status === unknown?.status
      ? undefined
      : `${known.status} for a known interaction, ${unknown?.status} for an unknown one`;
  },
};

export const attacks: Attack[] = [endlessRequests, oracle, ...evasions, ...lockouts];
