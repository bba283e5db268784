import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { allow, askToSignIn, codeAfter, codeOn, errorOn, hurry, seeScreen } from './acts.ts';
import { scanBeside } from './phones.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

/** The time for which a page waits for an answer, plus the pause before its next try. */
const UNTIL_NEXT_TRY_MS = 12_000;

describe('a server that accepts a POST of the page and never answers it', () => {
  const stage = useStage();

  beforeEach(() => stage().expectProblem(/ERR_/));

  it('makes the page send the request to finish again', async () => {
    const { desktop, screen } = await openQrPage(stage());
    const held = await hold(desktop, '**/qr/finish');
    await (await scanBeside(stage(), screen)).approve();
    await held.untilSent();
    await seeScreen(screen, 'finishing');
    await screen.clock.runFor(UNTIL_NEXT_TRY_MS - 1_000);
    expect(held.count()).to.equal(1);
    await desktop.unroute('**/qr/finish');
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });

  it('makes the page ask for a new code again: the form is busy meanwhile, and a second press sends nothing', async () => {
    const { desktop, screen } = await openQrPage(stage());
    const old = await codeOn(screen);
    await scanBeside(stage(), screen);
    await seeScreen(screen, 'scanned');
    const held = await hold(desktop, '**/qr/renew**');
    await pressTwice(screen, 'form[data-renew]', held);
    await desktop.unroute('**/qr/renew**');
    await hurry(screen, codeAfter(screen, old));
    await expectIdle(screen, 'form[data-renew]');
    await (await scanBeside(stage(), screen)).approve();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });

  it('makes the page cancel again: the form is busy meanwhile, and a second press sends nothing', async () => {
    const { desktop, screen } = await openQrPage(stage());
    const held = await hold(desktop, '**/cancel');
    await pressTwice(screen, 'form[data-cancel]', held);
    await desktop.unroute('**/cancel');
    expect(await hurry(screen, errorOn(screen))).to.equal('access_denied');
  });
});

describe('a server that accepts the digits and never answers', () => {
  const stage = useStage({ assess: () => 'check code' });

  beforeEach(() => stage().expectProblem(/ERR_/));

  it('makes the page say that there was no answer, so that the user can try again; a press before that sends nothing', async () => {
    const { desktop, screen } = await openQrPage(stage());
    const phone = await scanBeside(stage(), screen);
    await phone.approve();
    await seeScreen(screen, 'check-code');
    const held = await hold(desktop, '**/qr/finish');
    await screen.locator('#check-code').fill(await phone.checkCode());
    await held.untilSent();
    await expectBusy(screen, 'form[data-finish]');
    await screen.locator('#check-code').press('Enter');
    await hurry(screen, screen.getByRole('alert').filter({ hasText: 'There was no answer' }).waitFor());
    expect(held.count()).to.equal(1);
    await expectIdle(screen, 'form[data-finish]');
    await desktop.unroute('**/qr/finish');
    await screen.getByRole('button', { name: 'Continue' }).click();
    expect((await hurry(screen, allow(screen))).sub).to.equal('a11ce');
  });
});

interface HeldRequests {
  readonly count: () => number;
  /** Waits for the first request. */
  readonly untilSent: () => Promise<void>;
}

async function openQrPage(stage: Stage): Promise<{ desktop: BrowserContext; screen: Page }> {
  const desktop = await stage.desktop();
  await desktop.clock.install();
  return { desktop, screen: await askToSignIn(stage, desktop) };
}

/** Accepts these requests and never answers them. */
async function hold(desktop: BrowserContext, url: string): Promise<HeldRequests> {
  let count = 0;
  let onSent: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => {
    onSent = resolve;
  });
  await desktop.route(url, () => {
    count += 1;
    onSent();
  });
  return { count: () => count, untilSent: () => sent };
}

/** Presses the button of a form twice, and expects that the second press sends nothing. */
async function pressTwice(screen: Page, form: string, held: HeldRequests): Promise<void> {
  const button = screen.locator(`${form} button`);
  await button.click();
  await held.untilSent();
  await expectBusy(screen, form);
  await button.click();
  await screen.clock.runFor(UNTIL_NEXT_TRY_MS - 3_000);
  expect(held.count()).to.equal(1);
}

async function expectBusy(screen: Page, form: string): Promise<void> {
  expect(await screen.locator(form).getAttribute('aria-busy')).to.equal('true');
}

async function expectIdle(screen: Page, form: string): Promise<void> {
  await screen.locator(`${form}:not([aria-busy])`).waitFor({ state: 'attached' });
}
