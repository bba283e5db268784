import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { assessByDefault } from '../../src/index.ts';
import { allow, approve, askToSignIn, checkCodeOn, seeScreen } from './acts.ts';
import { scan } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('a browser that an account trusts, in Chromium', () => {
  const stage = useStage({ assess: assessByDefault });

  /** Scans and approves with "Keep me signed in on that device". @returns the phone's page */
  async function approveAndRemember(screen: Page): Promise<Page> {
    const phone = await scan(stage(), screen);
    await phone.getByLabel('Keep me signed in on that device').check();
    await approve(phone);
    return phone;
  }

  async function openTrustedBrowser(): Promise<BrowserContext> {
    const desktop = await stage().desktop();
    const screen = await askToSignIn(stage(), desktop);
    const digits = await checkCodeOn(await approveAndRemember(screen));
    await seeScreen(screen, 'check-code');
    await screen.getByLabel('6-digit number').fill(digits);
    expect((await allow(screen)).sub).to.equal('a11ce');
    await desktop.clearCookies({ name: /^_session/ });
    return desktop;
  }

  it('makes a key and uses it at the next sign-in, which then asks for no check code', async () => {
    const desktop = await openTrustedBrowser();
    const screen = await askToSignIn(stage(), desktop);
    const sent = screen.waitForRequest(/\/qr\/finish$/);
    await approve(await scan(stage(), screen));
    expect((await sent).postDataJSON().signature).to.match(/^[\w-]{86}$/);
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('does not pass its trust on to another browser that has copies of its cookies', async () => {
    stage().expectProblem(/400/);
    const desktop = await openTrustedBrowser();
    const memory = (await desktop.cookies(`${stage().issuer}/interaction/any`)).filter(({ name }) =>
      name.startsWith('_qr_memory'),
    );
    expect(memory).to.have.length(2);
    const thief = await stage().desktop();
    await thief.addCookies(memory);
    const screen = await askToSignIn(stage(), thief);
    await approve(await scan(stage(), screen));
    await seeScreen(screen, 'check-code');
  });
});
