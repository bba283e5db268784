import { expect } from 'chai';
import { World } from '../../support/world.ts';
import { prove, siteOf } from '../attack.ts';
import { browserAt, scanCode } from '../meeting.ts';
import { goOn } from '../scene.ts';
import { attacks } from './guard.ts';
import { approveWith, challengeInBrowser, challengeOnPhone, phoneWithPasskey, signInWith } from './people.ts';

prove('an attacker without the passkey', attacks);

describe('the amr of a sign-in', () => {
  it('has pop for a passkey, but never hwk, because the hardware is not checked', async () => {
    await World.during({ passkeys: true }, async (world) => {
      const site = siteOf(world);
      const { phone, passkey } = await phoneWithPasskey(site);
      const browser = await browserAt(site);
      await scanCode(phone, browser);
      await approveWith(phone, passkey.answer(await challengeOnPhone(phone)));
      const { redirectTo } = (await browser.finish()).json();
      expect((await browser.tokens(redirectTo)).claims()?.amr).to.have.members(['pwd', 'mca', 'user', 'pop']);

      const here = await browserAt(site);
      const before = Math.floor(Date.now() / 1000);
      const answer = await signInWith(here, passkey.answer(await challengeInBrowser(here)));
      const claims = (await here.tokens(answer.json().redirectTo)).claims();
      expect(claims?.amr).to.have.members(['pop', 'user']);
      expect(claims?.auth_time).to.be.within(before, Date.now() / 1000);
    });
  });

  it('has neither pop nor hwk without a passkey', async () => {
    await World.during({ passkeys: true }, async (world) => {
      const { browser, phone } = await world.meet('bob');
      await phone.scan(await browser.code());
      await phone.approve();
      const claims = (await browser.tokens(await browser.arrive())).claims();
      expect(claims?.amr).not.to.include.members(['pop']);
      expect(claims?.amr).not.to.include.members(['hwk']);
    });
  });
});

describe('a passkey of a deleted account', () => {
  it('neither signs a browser in nor approves', async () => {
    await World.during({ passkeys: true }, async (world) => {
      const site = siteOf(world);
      const { phone, passkey } = await phoneWithPasskey(site);
      const browser = await browserAt(site);
      await scanCode(phone, browser);
      const [approval, signIn] = [
        await challengeOnPhone(phone),
        await challengeInBrowser(browser).catch(() => undefined),
      ];
      const csrf = `${(await phone.look()).json().csrf}`;
      world.accounts.remove('a11ce');
      const refused = await phone.post(phone.at, { csrf, decision: 'approve', proof: passkey.answer(approval) });
      expect(refused.status).to.equal(403);
      const here = await browserAt(site);
      expect((await signInWith(here, passkey.answer(await challengeInBrowser(here)))).status).to.equal(403);
      expect(signIn).to.be.a('string');
    });
  });
});

describe('a passkey that is used twice', () => {
  it('signs in once: the second request gets the same redirect as the first', async () => {
    await World.during({ passkeys: true }, async (world) => {
      const site = siteOf(world);
      const { passkey } = await phoneWithPasskey(site);
      const browser = await browserAt(site);
      const events = world.collectPayloads('qr_login.passkey');
      const proof = passkey.answer(await challengeInBrowser(browser));
      const [first, second] = [await signInWith(browser, proof), await signInWith(browser, proof)];
      expect(first.status).to.equal(200);
      expect(second.json().redirectTo).to.equal(first.json().redirectTo);
      expect(events).to.have.length(1);
      await goOn(browser, first.json().redirectTo);
      expect((await signInWith(browser, proof)).status).to.equal(404);
    });
  });
});
