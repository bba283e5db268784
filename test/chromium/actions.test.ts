import { expect } from 'chai';
import type { Context } from 'koa';
import type { Page } from 'playwright-core';
import type { Approval, QrLogin } from '../../src/index.ts';
import { makeProvider } from '../fixtures/provider.ts';
import { makeRp, rpClient } from '../fixtures/rp.ts';
import { checkCodeOn, deny, otherThan, seeScreen, waitForYes } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { scanCode, signedInPhone } from './phones.ts';
import type { Setting } from './stage.ts';
import { useStage } from './use-stage.ts';

const PAYMENT = { accountId: 'a11ce', title: 'Pay €12.50', details: 'To the Lighthouse Shop\nOrder 4711' };

const PHONE = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile Safari/537.36';

let requested: Approval[] = [];
let findApproval: QrLogin['findApproval'];

/**
 * Makes a provider with a page that asks for an approval. The code is shown in the same browser, or in the first
 * browser that opens the address.
 */
const SHOP: Setting = {
  rpClient,
  makeRp,
  makeProvider: async (options) => {
    const fixture = await makeProvider(options);
    const { provider, qr } = fixture;
    findApproval = qr.findApproval;
    provider.use(async (ctx: Context, next) => {
      if (ctx.path !== '/pay') return next();
      const isHere = ctx.query.here === 'yes';
      const approval = await qr.requestApproval({ ...PAYMENT, ...(isHere && { browser: ctx }) });
      requested.push(approval);
      ctx.redirect(approval.url);
    });
    return fixture;
  },
};

const axe = async (page: Page): Promise<string[]> => {
  await page.addScriptTag({ path: AXE }).catch(() => undefined);
  return barriers(page);
};

async function seeHeading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name, exact: true }).waitFor();
}

async function pressYes(phone: Page): Promise<void> {
  await waitForYes(phone);
  await phone.getByRole('button', { name: 'Yes, approve' }).click();
}

describe('an action on both screens', () => {
  const stage = useStage({ assess: () => 'check code' }, {}, SHOP);

  beforeEach(() => {
    requested = [];
  });

  /** Opens the page that asks for an approval. @returns the page, once it shows a code, and the approval */
  const pay = async (): Promise<{ screen: Page; approval: Approval }> => {
    const screen = await stage().open(await stage().desktop({ bypassCSP: true }), `${stage().issuer}/pay?here=yes`);
    await screen.waitForSelector('[data-code] svg');
    const [approval] = requested;
    if (approval === undefined) throw new Error('the page has asked for no approval');
    expect(await screen.locator('[data-code]').getAttribute('data-drawn')).to.equal(approval.code.slice(-8));
    return { screen, approval };
  };

  it('is shown, scanned, approved and confirmed with the number', async () => {
    stage().expectProblem(/403/);
    const { screen, approval } = await pay();
    expect(await axe(screen)).to.deep.equal([]);
    const phone = await scanCode(stage(), approval.code, await signedInPhone(stage(), { bypassCSP: true }));
    await seeScreen(screen, 'scanned');
    await phone.getByText('Pay €12.50').waitFor();
    await phone.getByText('Order 4711').waitFor();
    expect(await phone.getByRole('checkbox').count()).to.equal(0);
    expect(await axe(phone)).to.deep.equal([]);
    await pressYes(phone);
    const digits = await checkCodeOn(phone);
    await seeScreen(screen, 'check-code');
    expect(await axe(screen)).to.deep.equal([]);
    await screen.locator('#check-code').fill(otherThan(digits));
    await screen.getByRole('alert').filter({ hasText: 'That is not the number on your phone' }).waitFor();
    await screen.locator('#check-code').fill(digits);
    await seeHeading(screen, 'Approved');
    expect(await axe(screen)).to.deep.equal([]);
    await seeHeading(phone, 'Approved');
    expect(await axe(phone)).to.deep.equal([]);
    expect((await approval.result).outcome).to.equal('approved');
  });

  it('says in the browser that the phone has declined', async () => {
    const { screen, approval } = await pay();
    const phone = await scanCode(stage(), approval.code);
    await deny(phone);
    await seeHeading(screen, 'This was not approved');
    expect((await approval.result).outcome).to.equal('denied');
  });

  it('says on the phone that the browser has cancelled', async () => {
    const { screen, approval } = await pay();
    const phone = await scanCode(stage(), approval.code);
    await screen.getByRole('button', { name: 'Cancel' }).click();
    await seeHeading(screen, 'This was cancelled');
    await phone.locator('[data-error=over]').waitFor();
    expect((await approval.result).outcome).to.equal('cancelled');
  });

  it('says in the browser that the time is up, and shows no other code', async () => {
    const { screen, approval } = await pay();
    // The action ends after 300 seconds, and its result is certain 2 seconds later.
    stage().clock.forward(303);
    // The page says this beside the old code at first, and then loads the page of an action that is over.
    await screen.locator('[data-code]').waitFor({ state: 'detached' });
    await seeHeading(screen, 'The time is up');
    // The first wait for the result sleeps in real time, so begin another one.
    const found = await findApproval(approval.id);
    expect((await found?.result)?.outcome).to.equal('expired');
  });

  it('is shown automatically in the browser that opens its address', async () => {
    const screen = await stage().open(await stage().desktop(), `${stage().issuer}/pay`);
    await screen.waitForSelector('[data-code] svg');
    await seeHeading(screen, 'Example ID asks for your approval');
  });

  it('can be decided on a phone that opens its address, without another device', async () => {
    const device = await signedInPhone(stage(), { bypassCSP: true, userAgent: PHONE });
    const phone = await stage().open(device, `${stage().issuer}/pay`);
    await seeHeading(phone, 'Example ID asks for your approval');
    expect(await axe(phone)).to.deep.equal([]);
    await phone.getByRole('button', { name: 'Decide on this device' }).click();
    await pressYes(phone);
    await seeHeading(phone, 'Approved');
    expect((await requested[0]?.result)?.outcome).to.equal('approved');
  });

  it('needs no script in the browser', async () => {
    const context = await stage().desktop({ javaScriptEnabled: false });
    const screen = await stage().open(context, `${stage().issuer}/pay`);
    await screen.getByRole('button', { name: 'Show the QR code' }).click();
    await screen.waitForSelector('[data-code] svg');
    const [approval] = requested;
    const phone = await scanCode(stage(), `${approval?.code}`);
    await pressYes(phone);
    const digits = await checkCodeOn(phone);
    await screen.reload();
    await screen.locator('#check-code').fill(digits);
    await screen.getByRole('button', { name: 'Continue' }).click();
    await seeHeading(screen, 'Approved');
  });
});
