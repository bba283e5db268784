import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { BrowserContext, Page } from 'playwright-core';
import { inFullSuite } from '../support/full-suite.ts';
import { RedisServer } from '../support/redis.ts';
import { World } from '../support/world.ts';
import {
  approve,
  askToSignIn,
  checkCodeOn,
  codeOn,
  deny,
  fillInPasswordPage,
  otherThan,
  pressYes,
  seeScreen,
  turn,
} from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

/** Waits until the phone shows this page. */
async function seeHeading(phone: Page, name: string | RegExp): Promise<void> {
  await phone.getByRole('heading', { level: 1, name }).waitFor();
}

/** Waits until the phone's page states the end of the sign-in. @returns the text */
async function seeEnd(phone: Page): Promise<string> {
  const said = phone.locator('[data-error=over]');
  await said.waitFor();
  expect(await phone.locator('button[value=approve]').count()).to.equal(0);
  return (await said.textContent()) ?? '';
}

/** Counts the phone's requests that wait for a change of its ticket. @returns a function that returns the number */
function countLooks(phone: Page): () => number {
  let looks = 0;
  phone.on('request', (request) => {
    if (request.url().includes('?after=')) looks += 1;
  });
  return () => looks;
}

async function typeNumber(screen: Page, digits: string): Promise<void> {
  await screen.locator('#check-code').fill(digits);
}

describe('both screens', () => {
  const stage = useStage({ assess: () => 'check code' });

  it('show each step of the other one: the sign-in on the phone, the scan, the approval and the end', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await stage().open(await stage().phone(), await codeOn(screen));
    await seeScreen(screen, 'signing-in');
    await screen.getByRole('heading', { name: 'A phone opened this QR code and is signing in' }).waitFor();
    await fillInPasswordPage(phone);
    await seeHeading(phone, 'Sign in to Demo app?');
    await screen.getByRole('heading', { name: /^Scanned by Chrome, \w+: look at your phone$/ }).waitFor();
    const looks = countLooks(phone);
    await approve(phone);
    await seeScreen(screen, 'check-code');
    await typeNumber(screen, await checkCodeOn(phone));
    await seeHeading(phone, 'Signed in');
    // The phone sends one such request while the user decides, one while the page shows the digits, and perhaps one
    // more, if the answer to the form replaced a page whose request was still waiting.
    expect(looks()).to.be.at.most(3);
    await screen.getByRole('heading', { name: 'Demo app asks for access' }).waitFor();
  });

  it('show that the browser has cancelled, while the phone decides and after it has approved', async () => {
    for (const decide of [() => Promise.resolve(), approve]) {
      const screen = await askToSignIn(stage(), await stage().desktop());
      const phone = await scan(stage(), screen);
      await decide(phone);
      await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
      expect(await seeEnd(phone)).to.match(/cancelled/i);
    }
  });

  it('show that the browser has another code, and that a number was wrong too often', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await screen.getByRole('button', { name: 'Not you? Show a new QR code' }).click();
    expect(await seeEnd(phone)).to.match(/new/);
    await phone.close();

    await seeScreen(screen, 'waiting');
    stage().expectProblem(/403/);
    const next = await scan(stage(), screen);
    await approve(next);
    const wrong = otherThan(await checkCodeOn(next));
    for (let tries = 0; tries < 3; tries++) {
      await screen.locator('#check-code').clear();
      const answered = screen.waitForResponse(/\/qr\/finish$/);
      await typeNumber(screen, wrong);
      await answered;
    }
    await seeScreen(screen, 'wrong-codes');
    expect(await seeEnd(next)).to.match(/The number was wrong/);
  });

  it('show a decision that was made on another page of the phone', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage());
    const phone = await scan(stage(), screen, context);
    const other = await stage().open(context, phone.url());
    await deny(other);
    await seeHeading(phone, 'Declined');
    await seeScreen(screen, 'denied');
  });

  it('show a cancellation that was made while the page of the phone was hidden, as soon as the page is visible', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await turn(phone, 'hidden');
    await phone.waitForEvent('requestfailed', (request) => request.url().includes('?after='));
    const looks = countLooks(phone);
    await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
    await screen.waitForURL(`${stage().rpUrl}/**`);
    expect(await phone.locator('button[value=approve]').count()).to.equal(1);
    expect(looks()).to.equal(0);
    await turn(phone, 'visible');
    await seeEnd(phone);
  });
});

describe('after the sign-in, the phone', () => {
  const stage = useStage();

  const signInOnBoth = async (): Promise<{ screen: Page; phone: Page }> => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);
    await pressYes(phone);
    await seeHeading(phone, 'Signed in');
    await screen.getByRole('heading', { name: 'Demo app asks for access' }).waitFor();
    return { screen, phone };
  };

  it('can give the browser a name, which the list shows', async () => {
    const { phone } = await signInOnBoth();
    await phone.getByLabel('Name this browser').fill('Living room <b>');
    await phone.getByRole('button', { name: 'Save' }).click();
    await phone.getByRole('heading', { level: 2, name: 'Living room <b> Chrome on Linux' }).waitFor();

    await phone.getByLabel('Rename Living room <b>').click();
    const browser = phone.getByRole('group', { name: /^Living room/ });
    await browser.getByLabel('Name', { exact: true }).fill('Office');
    await browser.getByRole('button', { name: 'Save' }).click();
    await phone.getByRole('heading', { level: 2, name: 'Office Chrome on Linux' }).waitFor();
  });

  it('can sign the browser out again if another person uses it', async () => {
    stage().expectProblem(/404/);
    const { screen, phone } = await signInOnBoth();
    await phone.getByRole('button', { name: 'Not you? Sign that browser out' }).click();
    await seeHeading(phone, 'Declined and reported');
    await screen.getByRole('button', { name: 'Allow' }).click();
    await screen.locator('[data-error], [data-qr-login]').first().waitFor();
  });
});

describe('a phone that the user has touched', () => {
  const stage = useStage({ assess: () => 'check code' });

  /** Records the vibrations and tones that the user of a phone would feel and hear. */
  const feel = async (context: BrowserContext): Promise<string[]> => {
    const felt: string[] = [];
    await context.exposeFunction('feel', (what: string) => felt.push(what));
    await context.addInitScript(`
      navigator.vibrate = (pattern) => { feel('vibration ' + pattern); return true; };
      globalThis.AudioContext = class extends AudioContext { constructor() { super(); feel('tone'); } };`);
    return felt;
  };

  for (const [motion, expected] of [
    ['no-preference', ['vibration 40', 'tone', 'vibration 40,60,40', 'tone']],
    ['reduce', ['tone', 'tone']],
  ] as const) {
    it(`gives feedback for Approve and for the sign-in, but not when a page loads (motion setting: ${motion})`, async () => {
      const screen = await askToSignIn(stage(), await stage().desktop());
      const context = await signedInPhone(stage(), { reducedMotion: motion });
      const felt = await feel(context);
      const phone = await scan(stage(), screen, context);
      expect(felt).to.deep.equal([]);
      await approve(phone);
      await seeScreen(screen, 'check-code');
      await typeNumber(screen, await checkCodeOn(phone));
      await seeHeading(phone, 'Signed in');
      expect(felt).to.deep.equal(expected);
    });
  }

  it('vibrates if the browser has cancelled', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const context = await signedInPhone(stage(), { reducedMotion: 'no-preference' });
    const felt = await feel(context);
    const phone = await scan(stage(), screen, context);
    await phone.getByRole('heading', { level: 1 }).click();
    await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
    await seeEnd(phone);
    expect(felt).to.deep.equal(['vibration 160', 'tone']);
  });
});

inFullSuite(() =>
  describe('both screens, when the time runs out', () => {
    const stage = useStage({ clock: Date.now, deadlines: { decide: 12 } });

    it('show the remaining time and then the expiry on the phone, and a new code on the screen', async () => {
      const screen = await askToSignIn(stage(), await stage().desktop());
      const phone = await scan(stage(), screen);
      expect(await phone.locator('[data-ends-in]').textContent()).to.match(/^Time left: 0:\d\d$/);
      expect(await seeEnd(phone)).to.match(/time|long/);
      await seeScreen(screen, 'waiting');
    });
  }),
);

describe('both screens, each at a different node', () => {
  let redis: RedisServer;
  const stores: Keyv[] = [];
  const store = (): Keyv => {
    const keyv = new Keyv({ store: new KeyvRedis<unknown>(redis.url) });
    stores.push(keyv);
    return keyv;
  };

  before(async () => {
    redis = await RedisServer.start();
  });

  after(async () => {
    await Promise.all(stores.map((keyv) => keyv.disconnect()));
    await redis?.stop();
  });

  const stage = useStage(
    {},
    {
      get store() {
        return store();
      },
    },
  );

  it('show what the other one does: the scan and the cancellation', async () => {
    const { issuer, rpUrl } = stage();
    const node = await World.start({ issuer, store: store() });
    stage().atEnd(() => node.stop());
    const screen = await askToSignIn(stage(), await stage().desktop());
    expect(screen.url().startsWith(issuer)).to.equal(true);
    const context = await signedInPhone(stage());
    await leadTo(context, issuer, node.origin);
    const phone = await scan(stage(), screen, context);
    await seeScreen(screen, 'scanned');
    await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
    await seeEnd(phone);
    await screen.waitForURL(`${rpUrl}/**`);
  });
});

/** Sends the phone's waiting requests to one of the issuer's nodes, as a balancer does. */
async function leadTo(device: BrowserContext, issuer: string, node: string): Promise<void> {
  await device.route(/\?after=/, async (route) => {
    const url = route.request().url().replace(issuer, node);
    // The answer may come after the page has closed, or never.
    const response = await route.fetch({ url }).catch(() => undefined);
    if (response !== undefined) await route.fulfill({ response }).catch(() => undefined);
  });
}
