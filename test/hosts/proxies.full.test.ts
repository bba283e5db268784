import { expect } from 'chai';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { testHost, useHost } from './host-behaviour.ts';
import { PROXIES, startBehindProxy } from './proxies.ts';

for (const name of Object.keys(PROXIES)) {
  describe(`the provider at /oidc behind ${name}`, () => {
    const host = useHost(() => startBehindProxy(name, '/oidc'));
    testHost('Koa', '/oidc', host);

    it('ignores an address that a client forges', async () => {
      const forged = { 'x-forwarded-for': '203.0.113.7' };
      const browser = new BrowserVisitor(host(), host().network, forged);
      const phone = new PhoneVisitor(host(), host().network, forged);
      await browser.start();
      const code = await browser.code();
      await phone.signInAt(code);
      await phone.scan(code);
      await phone.approve();
      expect((await browser.ticket()).checkCode).to.equal(true);
    });

    it('does not redirect to a host that a client forges', async () => {
      const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' };
      const browser = new BrowserVisitor(host(), host().network, forged);
      await browser.start();
      expect(browser.at.startsWith(`${host().issuer}/interaction/`)).to.equal(true);
      expect((await browser.code()).startsWith(`${host().issuer}/qr/`)).to.equal(true);
    });
  });
}
