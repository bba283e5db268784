import { expect } from 'chai';
import type { Page } from 'playwright-core';
import type { DecisionRecord } from '../../../src/index.ts';
import { claimsOn, seeCode } from '../../chromium/acts.ts';
import { newScreen, openCode, press, REQUEST, see } from './acts.ts';
import { signIn, useApp } from './use-app.ts';

describe('the app, with signed decisions and with requests that demand more than a tap,', () => {
  const records: DecisionRecord[] = [];
  const app = useApp({ signedDecisions: true, onDecision: (_ctx, record) => void records.push(record) });
  const { stage, phone, openSignedIn } = app;

  beforeEach(() => {
    records.length = 0;
  });

  /** Opens a browser whose RP adds parameters to its request. */
  const screenWith = async (parameters: Record<string, string>): Promise<Page> => {
    const desktop = await stage().desktop();
    const started = await desktop.request.get(`${stage().rpUrl}/login`, { maxRedirects: 0 });
    const screen = await stage().open(desktop, `${started.headers().location}&${new URLSearchParams(parameters)}`);
    await seeCode(screen);
    return screen;
  };

  it('signs each decision, and the provider stores the signature', async () => {
    const screen = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    await press(page, 'I did not start this');
    await see(page, 'Declined and reported');
    expect(records.map(({ decision, app: by, accountId }) => [decision, by, accountId])).to.deep.equal([
      ['approve', 'app', 'a11ce'],
      ['report', 'app', 'a11ce'],
    ]);
  });

  it('lets the user say that the demand cannot be met, and the RP gets the error', async () => {
    const screen = await screenWith({ prompt: 'login' });
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await press(page, 'I cannot do that');
    await see(page, 'Refused');
    await screen.waitForURL(/error=login_required/);
  });

  it('approves a request for the acr of its own sign-in', async () => {
    const claims = { id_token: { acr: { essential: true, value: 'urn:example:acr:password' } } };
    const screen = await screenWith({ claims: JSON.stringify(claims) });
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await press(page, 'Yes, sign in');
    await see(page, 'Signed in');
    expect(await claimsOn(screen)).to.include({ acr: 'urn:example:acr:password' });
  });

  it('asks the provider for a stronger sign-in if the request demands one', async () => {
    const acr = 'urn:example:acr:passkey';
    const screen = await screenWith({ claims: JSON.stringify({ id_token: { acr: { essential: true, value: acr } } }) });
    const page = await openSignedIn(await phone());
    await openCode(app, page, screen);
    await page.getByText('This app requires a more secure sign-in than the one on this phone.').waitFor();
    expect(await page.getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
    const asked = page.waitForRequest((request) => request.url().startsWith(`${stage().issuer}/auth?`));
    await press(page, 'Sign in again');
    expect(new URL((await asked).url()).searchParams.get('acr_values')).to.equal(acr);
  });

  it("can approve on a device that was signed in by QR, because the app's own sign-in asks for the password", async () => {
    const first = await newScreen(app);
    const page = await openSignedIn(await phone());
    await openCode(app, page, first);
    await press(page, 'Yes, sign in');
    await claimsOn(first);
    // The app runs on the device of the first browser, which has the session that the phone approved.
    const other = await app.open(first.context());
    await other.getByRole('button', { name: 'Sign in with Example ID' }).waitFor();
    await signIn(other);
    await see(other, 'Scan to sign in');
    const second = await newScreen(app);
    await openCode(app, other, second);
    await see(other, REQUEST);
    await press(other, 'Yes, sign in');
    await see(other, 'Signed in');
  });

  it('signs out all browsers', async () => {
    const page = await openSignedIn(await phone());
    for (let browsers = 0; browsers < 2; browsers += 1) {
      const screen = await newScreen(app);
      await openCode(app, page, screen);
      await press(page, 'Yes, sign in');
      await claimsOn(screen);
      await see(page, 'Signed in');
    }
    await page.getByRole('link', { name: 'Browsers' }).click();
    await page.getByRole('article').nth(1).waitFor();
    await press(page, 'Sign out all');
    await page.getByText('All of these browsers are signed out.').waitFor();
    expect(await page.getByRole('article').count()).to.equal(0);
  });
});
