/** Opens devices with a passkey, by Chromium's virtual authenticators (WebAuthn Level 3, section 11.2). */
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { signInOn } from './phones.ts';
import type { Stage } from './stage.ts';

export interface PasskeyDevice {
  readonly page: Page;
  readonly device: CDPSession;
  readonly authenticatorId: string;
}

/** Opens a device of alice whose passkey was added on the account page. @param context a phone by default */
export async function deviceWithPasskey(stage: Stage, context?: BrowserContext): Promise<PasskeyDevice> {
  const device = context ?? (await stage.phone());
  await signInOn(stage, device);
  const page = await stage.open(device, `${stage.issuer}/account`);
  const equipped = await withAuthenticator(page);
  await page.getByRole('button', { name: 'Add a passkey of this device' }).click();
  await page.getByRole('status').filter({ hasText: 'has a passkey for your account now' }).waitFor();
  return equipped;
}

/** Adds an authenticator that stores passkeys and verifies its user. */
export async function withAuthenticator(page: Page): Promise<PasskeyDevice> {
  const device = await page.context().newCDPSession(page);
  await device.send('WebAuthn.enable');
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { page, device, authenticatorId };
}

/**
 * A script for a page that offers passkeys in a menu (conditional mediation). Chromium without windows has no such
 * menu, so the script lets the authenticator answer immediately. It writes the `mediation` with which the page asked to
 * `sessionStorage.mediation`.
 */
export const MENU_OF_PASSKEYS = `{
  PublicKeyCredential.isConditionalMediationAvailable = async () => true;
  const get = navigator.credentials.get.bind(navigator.credentials);
  navigator.credentials.get = ({ mediation, ...options }) => {
    sessionStorage.mediation = mediation;
    return get(options);
  };
}`;
