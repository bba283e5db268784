/** Row 15 of the table in docs/security.md: exactly one of many simultaneous requests wins. */
import type { Answer } from '../../support/agent.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront, type Weakness } from '../attack.ts';
import { openQrPage, scanAndApprove, scanOnPhone, signInPhone } from '../scene.ts';
import { askingForTheCheckCode, lastWriteWins } from '../weaknesses.ts';

export const MANY = 50;

const racing: Weakness = { defence: 'compare-and-swap', patch: lastWriteWins };

/** Holds the POSTs to matching paths until `MANY` have arrived, so that they continue at the same time. */
export function together(path: RegExp): WorldOptions {
  let waiting: (() => void)[] = [];
  return inFront(async (ctx, next) => {
    if (ctx.method === 'POST' && path.test(ctx.path)) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < MANY) return;
        for (const release of waiting) release();
        waiting = [];
      });
    }
    await next();
  });
}

export const decisions: WorldOptions = together(/^\/qr\/tickets\//);

export function atOnce(act: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: MANY }, (_, index) => act(index)));
}

export const attacks: readonly Attack[] = [
  {
    row: 15,
    name: 'approves and denies 25 times each at the same time',
    on: decisions,
    run: async (site) => {
      const { browser, phone } = await scanOnPhone(site);
      const answers = await atOnce((index) => phone.decide(index % 2 === 0 ? 'approve' : 'deny'));
      // A repeat of the winning decision also gets status 200, so look at the states and not at the number of answers.
      const won = new Set(answers.filter(({ status }) => status === 200).map((answer) => answer.json().state));
      if (won.size === 0) throw new Error('no decision has won');
      const { state } = await browser.ticket();
      return won.size === 1 && won.has(state) ? undefined : `the phone got ${[...won]}, the browser ${state}`;
    },
    without: racing,
  },
  {
    row: 15,
    name: 'scans with 5 phones of two accounts at the same time, 10 times each',
    on: together(/^\/qr\/[\w-]{46}$/),
    run: async (site) => {
      const browser = await openQrPage(site);
      const code = await browser.code();
      const phones = await Promise.all(
        ['alice', 'bob', 'alice', 'bob', 'alice'].map((name) => signInPhone(site, name)),
      );
      const forms = await Promise.all(
        phones.map(async (phone) => ({ phone, csrf: `${(await phone.look(code)).json().csrf}` })),
      );
      const owners = new Set<number>();
      await Promise.all(
        forms.flatMap(({ phone, csrf }, index) =>
          Array.from({ length: MANY / forms.length }, async () => {
            if ((await phone.post(code, { csrf })).status === 200) owners.add(index);
          }),
        ),
      );
      if (owners.size === 0) throw new Error('no phone could scan');
      return owners.size === 1 ? undefined : `${owners.size} phones have the ticket`;
    },
    without: racing,
  },
  {
    row: 15,
    name: 'guesses 50 check codes at the same time',
    on: { ...askingForTheCheckCode, ...together(/\/qr\/finish$/) },
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      if (checkCode === undefined) throw new Error('no check code is asked for');
      const guess = (index: number): string => `${(Number(checkCode) + 1 + index) % 1_000_000}`.padStart(6, '0');
      const answers = await atOnce((index) => browser.finish(guess(index)));
      const judged = answers.filter(({ status, text }) => status === 403 && text.includes('wrong_check_code')).length;
      if (judged === 0) throw new Error('no guess was checked');
      return judged > 3 ? `${judged} guesses were judged` : undefined;
    },
    without: racing,
  },
];
