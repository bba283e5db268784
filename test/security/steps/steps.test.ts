import { expect } from 'chai';
import { World } from '../../support/world.ts';
import { prove, registerSides, siteOf, whilePatched } from '../attack.ts';
import { scanAndApprove, scanOnPhone } from '../scene.ts';
import { lastWriteWins } from '../weaknesses.ts';
import { atOnce, decisions, MANY, together } from './races.ts';
import { attacks } from './steps.ts';

prove('steps that are raced, skipped, repeated or swapped', attacks);

/** Sends many of these requests at the same time. @returns the number of ends that the provider has announced */
async function endsOf(acts: readonly ('qr/finish' | 'cancel')[]): Promise<number> {
  let ends = 0;
  await World.during(together(/\/(qr\/finish|cancel)$/), async (world) => {
    const { browser, checkCode } = await scanAndApprove(siteOf(world));
    const counts = [world.count('qr_login.finished'), world.count('qr_login.cancelled')];
    const fields = checkCode === undefined ? {} : { checkCode };
    await atOnce((index) => browser.post(`${browser.at}/${acts[index % acts.length]}`, fields));
    ends = counts.reduce((sum, count) => sum + count(), 0);
  });
  return ends;
}

/** Approves many times at the same time. @returns the number of approvals that the provider has announced */
async function approvals(): Promise<number> {
  let approvals = 0;
  await World.during(decisions, async (world) => {
    const { phone } = await scanOnPhone(siteOf(world));
    const count = world.count('qr_login.approved');
    await atOnce(() => phone.decide('approve'));
    approvals = count();
  });
  return approvals;
}

describe(`${MANY} simultaneous requests that approve a ticket`, () => {
  registerSides('row 15: they approve it several times', {
    lacks: 'compare-and-swap',
    succeeds: () =>
      whilePatched({ patch: lastWriteWins }, async () => {
        expect(await approvals()).to.be.above(1);
      }),
    fails: async () => {
      expect(await approvals()).to.equal(1);
    },
  });
});

describe(`${MANY} simultaneous requests that end a ticket`, () => {
  for (const acts of [['qr/finish'], ['qr/finish', 'cancel']] as const) {
    registerSides(`row 15: ${acts.join(' and ')} end it several times`, {
      lacks: 'compare-and-swap',
      succeeds: () =>
        whilePatched({ patch: lastWriteWins }, async () => {
          expect(await endsOf(acts)).to.be.above(1);
        }),
      fails: async () => {
        expect(await endsOf(acts)).to.equal(1);
      },
    });
  }
});
