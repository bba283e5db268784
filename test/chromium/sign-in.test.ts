import { expect } from 'chai';
import { CODE_LENGTH } from '../support/codes.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { allow, approve, askToSignIn, claimsOn, codeOn, deny, errorOn, fillInPasswordPage, seeScreen } from './acts.ts';
import { scan, scanBeside, signedInPhone } from './phones.ts';
import { readScreen } from './qr-from-pixels.ts';
import { useStage } from './use-stage.ts';

describe('a browser and a phone', () => {
  const stage = useStage();

  it('sign in: the phone scans the code from the screen and approves, and the app gets its ID token', async () => {
    const screen = await stage().open(await stage().desktop(), stage().rpUrl);
    await screen.getByRole('link', { name: 'Sign in' }).click();
    const { url: code } = await readScreen(screen);
    expect(code).to.match(new RegExp(`^${stage().issuer}/qr/[\\w-]{${CODE_LENGTH}}$`));

    const phone = await stage().open(await stage().phone(), code);
    expect(await phone.title()).to.equal('Sign in');
    await seeScreen(screen, 'signing-in');
    expect(await screen.getByRole('heading', { level: 2 }).allInnerTexts()).to.deep.equal([
      'A phone opened this QR code and is signing in',
    ]);
    // Another phone can still scan it.
    expect((await readScreen(screen)).url).to.match(new RegExp(`^${stage().issuer}/qr/[\\w-]{${CODE_LENGTH}}$`));
    await fillInPasswordPage(phone);
    await phone.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
    await seeScreen(screen, 'scanned');
    expect(await screen.getByRole('heading', { level: 2 }).allInnerTexts()).to.deep.equal([
      'Scanned by Chrome, Linux: look at your phone',
    ]);

    const facts = (await phone.locator('dl').allInnerTexts()).join().replace(/\s+/g, ' ');
    expect(facts).to.match(
      /^Website localhost\S* Device Chrome on Linux Started: (now|\d+ seconds? ago) Account AL Alice Liddell$/,
    );
    await phone.getByText('What the app asks for').click();
    expect(await phone.locator('.wants li').allInnerTexts()).to.deep.equal([
      'see your profile: name, picture and so on',
      'see your email address',
    ]);

    const before = Math.floor(Date.now() / 1000);
    await approve(phone);
    expect((await phone.getByRole('heading').allInnerTexts()).join()).to.be.oneOf(['Approved', 'Signed in']);
    await screen.getByRole('heading', { name: 'Demo app asks for access' }).waitFor();
    const claims = await allow(screen);

    expect(claims).to.include({ iss: stage().issuer, sub: 'a11ce', acr: 'urn:example:acr:password' });
    expect(claims.amr).to.include.members(['mca', 'user']);
    expect(claims.auth_time)
      .to.be.a('number')
      .within(before - 60, before);
    expect(screen.url()).to.equal(`${stage().rpUrl}/`);
  });

  it('end in access_denied if the phone declines', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    const phone = await scan(stage(), screen);

    await deny(phone);
    await seeScreen(screen, 'denied');
    expect(await errorOn(screen)).to.equal('access_denied');
    expect(screen.url()).to.match(new RegExp(`^${stage().rpUrl}/callback`));
  });

  it('end in access_denied if the browser cancels', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await screen.getByRole('button', { name: 'Cancel and go back to Demo app' }).click();
    expect(await errorOn(screen)).to.equal('access_denied');
  });

  it('need no code the next time, because the browser has a session', async () => {
    const screen = await askToSignIn(stage(), await stage().desktop());
    await (await scanBeside(stage(), screen)).approve();
    const first = await allow(screen);

    const urls: string[] = [];
    screen.on('framenavigated', (frame) => urls.push(frame.url()));
    await screen.goto(`${stage().rpUrl}/login`);
    const second = await claimsOn(screen);

    expect(second).to.include({ sub: 'a11ce', auth_time: first.auth_time });
    expect(second.iat).to.be.a('number');
    expect(urls).to.deep.equal([`${stage().rpUrl}/`]);
  });

  inFullSuite(() =>
    it('skip the password page if the phone is signed in already', async () => {
      const phone = await signedInPhone(stage());
      const screen = await askToSignIn(stage(), await stage().desktop());
      const page = await stage().open(phone, await codeOn(screen));
      await page.getByRole('heading', { name: 'Sign in to Demo app?' }).waitFor();
      await seeScreen(screen, 'scanned');
    }),
  );
});
