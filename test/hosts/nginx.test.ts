import { expect } from 'chai';
import { assessByAddress } from '../support/assess-by-address.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { testHost, useHost } from './host-behaviour.ts';
import { HOSTS, pathsIn, startBehindNginx, type VisitedHost } from './hosts.ts';

for (const [name, start] of Object.entries(HOSTS)) {
  for (const path of pathsIn(name)) {
    describe(`the provider at ${path} of an app in ${name} behind nginx`, () => {
      const host = useHost(() => startBehindNginx(start, path, { qrLogin: { assess: assessByAddress } }));
      testHost(name, path, host);

      it('uses the address that nginx sends, if browser and phone have the same address', async () => {
        const from = { 'x-real-ip': '203.0.113.7' };
        expect(await asksForCheckCode(host(), from, from)).to.equal(false);
      });

      it('uses the address that nginx sends, if the phone has another address', async () => {
        const browser = { 'x-real-ip': '203.0.113.7' };
        expect(await asksForCheckCode(host(), browser, { 'x-real-ip': '203.0.113.8' })).to.equal(true);
      });

      it('ignores an address that a client forges', async () => {
        const browser = { 'x-real-ip': '203.0.113.7' };
        const phone = { 'x-real-ip': '203.0.113.8', 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' };
        expect(await asksForCheckCode(host(), browser, phone)).to.equal(true);
      });

      it('blocks a flood from one address, but not the event streams and polls of that address', async () => {
        const headers = { 'x-real-ip': '203.0.113.50' };
        const browser = new BrowserVisitor(host(), host().network, headers);
        await browser.start();
        const flood = async (): Promise<number[]> => {
          const start = (): Promise<Response> => host().network(`${host().issuer}/auth?client_id=x`, { headers });
          return (await Promise.all(Array.from({ length: 50 }, start))).map(({ status }) => status);
        };
        await until(async () => (await flood()).includes(429));
        expect((await browser.ticket()).state).to.equal('waiting');
        const stream = await browser.events();
        expect((await stream.ticket()).state).to.equal('waiting');
        stream.close();
      });

      it('does not redirect to a host that a client forges', async () => {
        const browser = new BrowserVisitor(host(), host().network, {
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'http',
        });
        await browser.start();
        expect(browser.at.startsWith(`${host().issuer}/interaction/`)).to.equal(true);
        expect((await browser.code()).startsWith(`${host().issuer}/qr/`)).to.equal(true);
        const { authorization_endpoint } = (await browser.configuration()).serverMetadata();
        expect(authorization_endpoint).to.equal(`${host().issuer}/auth`);
      });
    });
  }
}

async function asksForCheckCode(
  host: VisitedHost,
  browserHeaders: Record<string, string>,
  phoneHeaders: Record<string, string>,
): Promise<unknown> {
  const browser = new BrowserVisitor(host, host.network, browserHeaders);
  const phone = new PhoneVisitor(host, host.network, phoneHeaders);
  await browser.start();
  const code = await browser.code();
  await phone.signInAt(code);
  await phone.scan(code);
  await phone.approve();
  return (await browser.ticket()).checkCode;
}
