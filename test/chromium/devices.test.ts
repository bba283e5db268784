import { expect } from 'chai';
import { allow, approve, askToSignIn, seeCode } from './acts.ts';
import { scan, signedInPhone } from './phones.ts';
import { useStage } from './use-stage.ts';

describe('the list of browsers on the phone', () => {
  const stage = useStage();

  it('signs the other browser out, and the app there asks for a new sign-in with a new code', async () => {
    const phone = await signedInPhone(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    const confirm = await scan(stage(), screen, phone);
    await approve(confirm);
    await allow(screen);

    const page = await stage().open(phone, `${stage().issuer}/account`);
    await page.getByRole('link', { name: 'Where else you are signed in' }).click();
    const browser = page.getByRole('group', { name: 'Chrome on Linux' });
    expect((await browser.locator('dl').allInnerTexts()).join().replace(/\s+/g, ' ')).to.match(
      /^Signed in (now|\d+ seconds? ago) Last used (now|\d+ seconds? ago) Apps Demo app/,
    );
    const button = page.getByRole('button', { name: 'Sign out: Chrome on Linux' });
    expect((await button.boundingBox())?.height).to.be.at.least(44);
    await button.click();
    await page.getByRole('status').getByText('That browser is signed out.').waitFor();
    expect(await page.getByText('No browser is signed in with a QR code right now.').count()).to.equal(1);

    await screen.goto(stage().rpUrl);
    await screen.getByRole('link', { name: 'Sign in' }).click();
    await seeCode(screen);
    // The phone itself stays signed in.
    await page.goto(`${stage().issuer}/account`);
    await page.getByRole('heading', { name: 'Hello Alice Liddell' }).waitFor();
  });
});
