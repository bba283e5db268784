/**
 * Tests QRLJacking with passkeys. A passkey on the QR page cannot be relayed. A passkey that the phone demands before
 * Approve does not stop the relay of a code.
 */
import { expect } from 'chai';
import { Keyv } from 'keyv';
import type { Page } from 'playwright-core';
import { assessByDefault, type PasskeySignIn } from '../../../src/index.ts';
import { passkeys } from '../../../src/passkeys.ts';
import { approve, checkCodeOn } from '../../chromium/acts.ts';
import { scanCode } from '../../chromium/phones.ts';
import { useStage } from '../../chromium/use-stage.ts';
import { deviceWithPasskey } from '../../chromium/virtual-passkey.ts';
import { PasskeyRecords } from '../../fixtures/passkeys.ts';
import { claimsIn } from './attacker-site.ts';
import { openAttackerSite, openLure } from './lured.ts';

/** The victim uses the passkey on the attacker's page. */
async function usePasskeyAt(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('status').filter({ hasText: 'Thank you' }).waitFor();
}

describe('a passkey beside the code', () => {
  const stage = useStage({ assess: assessByDefault }, { passkeys: true });

  it('cannot be relayed by another site: the browser refuses to ask for it there', async () => {
    const site = await openAttackerSite(stage());
    const { page: laptop } = await deviceWithPasskey(stage(), await stage().desktop());
    await usePasskeyAt(laptop, site.url('/passkey', 'attacker.localhost'));
    expect(site.refusal).to.equal('SecurityError');
    expect(site.relayed).to.equal(undefined);
    expect(await site.isSignedIn()).to.equal(false);
  });

  it('cannot be relayed by the same host on another port, because the server refuses the signed origin', async () => {
    const site = await openAttackerSite(stage());
    const { page: laptop } = await deviceWithPasskey(stage(), await stage().desktop());
    await usePasskeyAt(laptop, site.url('/passkey'));
    expect(site.refusal).to.equal(undefined);
    expect(site.relayed?.status).to.equal(403);
    expect(site.relayed?.json().error).to.equal('wrong_proof');
    expect(await site.isSignedIn()).to.equal(false);
  });
});

describe('a passkey beside the code on a server that accepts the origin of another site', () => {
  const store = new Keyv();
  let origin = '';
  const careless = (): PasskeySignIn =>
    passkeys({ issuer: origin, rpId: 'localhost', ...new PasskeyRecords(store) }).signIn;
  const passkeySignIn: PasskeySignIn = {
    options: (nonce) => careless().options(nonce),
    verify: (nonce, answer) => careless().verify(nonce, answer),
  };
  const stage = useStage({ assess: assessByDefault, passkeySignIn }, { passkeys: true, store });

  it('is relayed, so only the check of the origin prevents this', async () => {
    origin = stage().issuer;
    const site = await openAttackerSite(stage());
    const { page: laptop } = await deviceWithPasskey(stage(), await stage().desktop());
    origin = new URL(site.url('/')).origin;
    await usePasskeyAt(laptop, site.url('/passkey'));
    expect(site.relayed?.status).to.equal(200);
    expect(site.relayed && claimsIn(await site.arrive(site.relayed))).to.include({ sub: 'a11ce' });
  });
});

describe('a passkey before Approve', () => {
  const stage = useStage({ assess: assessByDefault }, { passkeys: true });

  it('does not stop a live relay, because only the code is shown on a wrong site, and the phone opens the right one', async () => {
    const site = await openAttackerSite(stage());
    const lure = await openLure(stage(), site);
    const { page: phone } = await deviceWithPasskey(stage(), await stage().phone());
    await scanCode(stage(), await site.code(), phone);
    await phone.getByText('Your phone will ask for your passkey').waitFor();
    await approve(phone);

    await lure.getByLabel('type the six digits').fill(await checkCodeOn(phone));
    await lure.getByRole('button', { name: 'Verify' }).click();
    await lure.getByRole('heading', { name: 'Thank you' }).waitFor();
    const claims = site.relayed && claimsIn(await site.arrive(site.relayed));
    expect(claims).to.include({ sub: 'a11ce' });
    expect(claims?.amr).to.include('pop');
  });
});
