import { expect } from 'chai';
import * as client from 'openid-client';
import { signOut } from '../../support/own-browsers.ts';
import { errorOf } from '../../support/relying-party.ts';
import { BrowserPerson, CLIENT_SECRET, PhonePerson, testClient, World } from '../../support/world.ts';

describe('a remote sign-out of a browser that was signed in twice with consent on the phone', () => {
  const rp = testClient('rp', { grant_types: ['authorization_code', 'refresh_token'] });

  for (const consent of ['phone', 'implied'] as const) {
    it(`revokes the tokens of both sign-ins: ${consent}`, () =>
      World.during({ clients: [rp], qrLogin: { consent: () => consent } }, async (world) => {
        const phone = await new PhonePerson(world).signIn();
        const browser = new BrowserPerson(world);
        browser.clientId = 'rp';
        const tokens: string[] = [];
        for (let times = 0; times < 2; times++) {
          await browser.start({ scope: 'openid offline_access', prompt: 'login consent' });
          await approveAfterSigningInAgain(phone, browser);
          const { refresh_token: token = '' } = await browser.tokens(await browser.arrive());
          expect(token).not.to.equal('');
          tokens.push(token);
        }
        const configuration = await client.discovery(new URL(world.issuer), 'rp', CLIENT_SECRET, undefined, {
          execute: [client.allowInsecureRequests],
        });
        expect((await signOut(phone, 'all')).json()).to.include({ ended: 1 });
        for (const token of tokens) {
          expect(await errorOf(client.refreshTokenGrant(configuration, token))).to.equal('invalid_grant');
        }
      }));
  }
});

/**
 * Meets `prompt=login`: the phone signs in after the request, even if its last sign-in was a moment ago, and approves.
 */
async function approveAfterSigningInAgain(phone: PhonePerson, browser: BrowserPerson): Promise<void> {
  await phone.backdateSignIn(60);
  await phone.scan(await browser.code());
  await phone.signInAt(String((await phone.look()).json().signInAgain));
  phone.csrf = String((await phone.look()).json().csrf);
  expect((await phone.approve()).status).to.equal(200);
}
