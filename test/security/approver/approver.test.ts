import { expect } from 'chai';
import { BrowserVisitor, type PhoneVisitor } from '../../support/visitors.ts';
import { World, type WorldOptions } from '../../support/world.ts';
import { prove, registerSides, siteOf, type Weakness } from '../attack.ts';
import { attacks } from './approver.ts';
import { phoneOf } from './people.ts';
import { ALICE, PASSKEY, sessionsThatNeverEnd, withPasskey } from './sessions.ts';

prove('attacks on the approver', attacks);

interface BrowserAndPhone {
  readonly browser: BrowserVisitor;
  readonly phone: PhoneVisitor;
}

const accountsThatStay: WorldOptions = { qrLogin: { findAccount: () => ({ name: 'any account' }) } };

/** Ways to end the phone's right to approve without a sign-out on the phone. */
const ENDINGS: Record<string, { end: (world: World, met: BrowserAndPhone) => Promise<void>; without: Weakness }> = {
  'a phone with a deleted account': {
    end: async ({ accounts }) => accounts.remove(ALICE),
    without: { defence: 'looking the account up at each step', options: accountsThatStay },
  },
  'a phone with a session that the provider has ended': {
    end: async ({ provider, issuer }, { phone }) => {
      const cookies = await phone.agent.jar.getCookies(issuer);
      const session = await provider.Session.find(`${cookies.find(({ key }) => key === '_session')?.value}`);
      if (session === undefined) throw new Error('the phone is not signed in');
      await session.destroy();
    },
    without: sessionsThatNeverEnd,
  },
};

/**
 * Steps that a test tries after the phone's right has ended. Each has the acts before that end, the step itself, and
 * the state to which the step would lead.
 */
const STEPS: Record<
  string,
  { before: (met: BrowserAndPhone) => Promise<unknown>; act: (met: BrowserAndPhone) => Promise<unknown>; to: string }
> = {
  scans: {
    before: async () => undefined,
    act: async ({ browser, phone }) => phone.scan(await browser.code()),
    to: 'scanned',
  },
  approves: {
    before: async ({ browser, phone }) => phone.scan(await browser.code()),
    act: ({ phone }) => phone.decide('approve'),
    to: 'approved',
  },
  'signs the browser in by its earlier approval': {
    before: async ({ browser, phone }) => {
      await phone.scan(await browser.code());
      await phone.approve();
    },
    act: ({ browser }) => browser.finish(),
    to: 'redeemed',
  },
};

async function meet(world: World): Promise<BrowserAndPhone> {
  const browser = new BrowserVisitor(siteOf(world));
  await browser.start();
  return { browser, phone: await phoneOf(siteOf(world), 'alice') };
}

for (const [ended, { end, without }] of Object.entries(ENDINGS)) {
  for (const [does, { before, act, to }] of Object.entries(STEPS)) {
    const title = `row 7: ${ended} ${does}`;
    /** @returns the state of the ticket after the step */
    const attempt = async (world: World): Promise<unknown> => {
      const met = await meet(world);
      await before(met);
      await end(world, met);
      await act(met);
      return (await met.browser.ticket()).state;
    };

    registerSides(title, {
      lacks: without.defence,
      succeeds: () =>
        World.during(without.options ?? {}, async (world) => {
          expect(await attempt(world)).to.equal(to);
        }),
      fails: () =>
        World.during({}, async (world) => {
          expect(await attempt(world)).not.to.equal(to);
        }),
    });
  }
}

/** Returns true if the passkey of a deleted account signs the browser in. */
async function useOrphanedPasskey(world: World): Promise<boolean> {
  const browser = new BrowserVisitor(siteOf(world));
  await browser.start();
  world.accounts.remove(ALICE);
  const answer = await browser.post(`${browser.at}/qr/passkey`, { proof: PASSKEY });
  return 'redirectTo' in answer.json();
}

registerSides('row 7: a passkey of a deleted account signs in', {
  lacks: 'looking the account up',
  succeeds: () =>
    World.during({ qrLogin: { ...withPasskey.qrLogin, ...accountsThatStay.qrLogin } }, async (world) => {
      expect(await useOrphanedPasskey(world)).to.equal(true);
    }),
  fails: () =>
    World.during(withPasskey, async (world) => {
      expect(await useOrphanedPasskey(world)).to.equal(false);
    }),
});
