import { expect } from 'chai';
import { allow, approve, askToSignIn, checkCodeOn, errorOn, fillInPasswordPage, seeCode } from './acts.ts';
import { AXE, barriers } from './axe.ts';
import { scan, signedInPhone } from './phones.ts';
import { readCode } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';
import { deviceWithPasskey } from './virtual-passkey.ts';

describe('an account that may be used in enrolled browsers only, in Chromium', () => {
  const stage = useStage({ enrolled: () => true });

  it('can add a browser in which its user is signed in with the password, and can approve sign-ins there afterwards', async () => {
    const desktop = await stage().desktop();
    const list = await stage().open(desktop, `${stage().issuer}/qr/devices`);
    await fillInPasswordPage(list);
    await list.getByRole('button', { name: 'Add this browser' }).click();
    const added = list.getByRole('group', { name: 'Chrome on Linux' }).filter({ hasText: 'Added' });
    await added.waitFor();
    await desktop.clearCookies({ name: /^_session/ });

    const shown = desktop.waitForEvent('response', (response) => response.url().endsWith('/qr/key'));
    const screen = await askToSignIn(stage(), desktop);
    expect((await shown).status()).to.equal(200);
    expect(await screen.locator('[data-enrol]').isVisible()).to.equal(false);
    await approve(await scan(stage(), screen));
    expect((await allow(screen)).sub).to.equal('a11ce');
  });

  it('gets instructions for adding a browser, on the QR page and on the phone, which cannot approve the sign-in', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await screen.getByText('Does your account work only in browsers that you have added?').waitFor();
    const small = { viewport: { width: 360, height: 640 } };
    const phone = await scan(stage(), screen, await signedInPhone(stage(), small));
    await phone.getByText('This account works only in browsers that you have added').waitFor();
    expect(await phone.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
    expect(await phone.evaluate('document.documentElement.scrollWidth')).to.be.at.most(360);
    await phone.getByRole('button', { name: 'I cannot do that' }).click();
    await phone.getByRole('heading', { name: 'Refused' }).waitFor();
    expect(await errorOn(screen)).to.equal('access_denied');
  });
});

describe('a browser that the phone enrols, in Chromium', () => {
  const stage = useStage({ enrolled: () => true, enrolByPhone: true }, { passkeys: true });

  it('is added from the QR page, after the phone approves and the digits are typed in the browser', async () => {
    const [desktop, { page: phone }] = [await stage().desktop(), await deviceWithPasskey(stage())];
    for (const context of [desktop, phone.context()]) await context.addInitScript({ path: AXE });
    const screen = await askToSignIn(stage(), desktop);
    await phone.goto(await readCode(screen));
    await phone.getByText('choose “Add this browser with your phone” there').waitFor();
    await screen.getByText('Does your account work only in browsers that you have added?').waitFor();
    expect(await barriers(screen)).to.deep.equal([]);

    await screen.getByRole('button', { name: 'Add this browser with your phone' }).click();
    await screen.getByText('Add a browser to your account').waitFor();
    await seeCode(screen);
    await phone.goto(await readCode(screen));
    await phone.getByText('Warning: you are not signed in there').waitFor();
    expect(await barriers(phone)).to.deep.equal([]);
    await phone.getByRole('button', { name: 'Yes, approve' }).click();
    const digits = await checkCodeOn(phone);
    const keyAnswer = desktop.waitForEvent('response', (response) => response.url().endsWith('/qr/key'));
    await screen.locator('#check-code').fill(digits);

    // Back at the sign-in, with a new code and the key.
    expect((await keyAnswer).status()).to.equal(200);
    await seeCode(screen);
    await phone.goto(await readCode(screen));
    await phone.getByRole('button', { name: 'Yes, sign in' }).click();
    expect((await allow(screen)).sub).to.equal('a11ce');
  });
});
