import { expect } from 'chai';
import type { NewSignIn, OnSignIn } from '../../../src/index.ts';
import { StillClock } from '../../support/clock.ts';
import { isSignedIn, signInBy } from '../../support/own-browsers.ts';
import { type BrowserPerson, PhonePerson, World } from '../../support/world.ts';

describe('a new sign-in', () => {
  const during = (onSignIn: OnSignIn, act: (world: World) => Promise<void>): Promise<void> =>
    World.during({ clock: new StillClock(), qrLogin: { onSignIn } }, act);

  it('is reported to onSignIn once, with the browser, the account and the app', async () => {
    const reported: NewSignIn[] = [];
    await during(
      (_ctx, signIn) => void reported.push(signIn),
      async (world) => {
        const { browser, phone } = await world.meet();
        await signInBy(phone, browser);
        await isSignedIn(browser);
        expect(reported).to.have.length(1);
        const [{ at, ...signIn } = { at: 0 }] = reported;
        expect(signIn).to.deep.equal({
          accountId: 'a11ce',
          browser: { name: 'Chrome', system: 'Windows', known: false },
          client: { id: 'test-rp', name: 'Test app', host: 'rp.localhost:9' },
        });
        expect(at).to.equal(world.clock.now());
      },
    );
  });

  it('has a known browser only if this account trusted it before', async () => {
    const reported: string[] = [];
    await during(
      (_ctx, { accountId, browser }) => void reported.push(`${accountId} ${browser.known}`),
      async (world) => {
        const { browser, phone } = await world.meet();
        const trusts = { remember: 'yes' };
        await signInBy(phone, browser, trusts);
        const bob = await new PhonePerson(world).signIn('bob');
        for (const approver of [phone, bob, bob]) {
          await forgetSession(browser);
          await browser.start();
          await signInBy(approver, browser, trusts);
        }
      },
    );
    expect(reported).to.deep.equal(['a11ce false', 'a11ce true', 'b0b false', 'b0b true']);
  });

  it('is not reported if the user has signed in with a password', async () => {
    let times = 0;
    await during(
      () => void times++,
      async (world) => {
        await new PhonePerson(world).signIn();
      },
    );
    expect(times).to.equal(0);
  });

  for (const [how, onSignIn] of [
    ['throws', () => fail()],
    ['rejects', async () => fail()],
    ['rejects with nothing', () => Promise.reject()],
  ] as const) {
    it(`continues with a warning if onSignIn ${how}`, async () => {
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      await during(onSignIn, async (world) => {
        const { browser, phone } = await world.meet();
        const arrived = await signInBy(phone, browser);
        expect(arrived.searchParams.has('code')).to.equal(true);
      });
      const says =
        how === 'rejects with nothing' ? 'threw undefined, which is no Error' : 'failed: there is no mail today';
      expect(await warned).to.include({ message: `onSignIn() ${says}` });
    });
  }

  it('does not wait for onSignIn', async () => {
    await during(
      () => new Promise(() => undefined),
      async (world) => {
        const { browser, phone } = await world.meet();
        expect((await signInBy(phone, browser)).searchParams.has('code')).to.equal(true);
      },
    );
  });
});

/** Removes the session cookies of a browser. The cookie that remembers sign-ins by QR stays. */
async function forgetSession({ agent, world }: BrowserPerson): Promise<void> {
  for (const { key } of await agent.jar.getCookies(world.issuer)) {
    if (key.startsWith('_session')) await agent.jar.setCookie(`${key}=; Max-Age=0; Path=/`, world.issuer);
  }
}

function fail(): never {
  throw new Error('there is no mail today');
}
