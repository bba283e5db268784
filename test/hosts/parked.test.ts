import { expect } from 'chai';
import { isFullSuite } from '../support/full-suite.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { HOSTS, startBehindNginx, startHost, type VisitedHost } from './hosts.ts';

/** Parked event streams have given up their Node.js sockets. */
const PARKED = { qrLogin: { parkStreams: true } };

/** The ways to start a host: the browser connects to the host's port, or to nginx in front of the host. */
const WAYS: Readonly<Record<string, typeof startHost>> = { 'at its port': startHost, 'behind nginx': startBehindNginx };

for (const [name, start] of Object.entries(HOSTS)) {
  for (const [way, startOn] of Object.entries(WAYS)) {
    // The sockets are parked by the host, not by nginx, so one host behind nginx is enough for the short suite.
    if (!isFullSuite && way === 'behind nginx' && name !== 'Koa') continue;
    describe(`an app in ${name} ${way}, with parked event streams`, () => {
      const warnings: unknown[] = [];
      const note = ({ code }: Error & { code?: string }): unknown => warnings.push(code);
      let host: VisitedHost;

      before(async () => {
        process.on('warning', note);
        host = await startOn(start, '/oidc', PARKED);
      });

      after(async () => {
        process.off('warning', note);
        await host?.stop();
      });

      it('signs a user in with a phone, shows every step on the stream, and ends the stream when the app stops', async () => {
        const browser = new BrowserVisitor(host, host.network);
        const phone = new PhoneVisitor(host, host.network);
        await browser.start();
        const events = await browser.events();
        await events.ticket('waiting');
        const code = await browser.code();
        await phone.signInAt(code);
        await phone.scan(code);
        await events.ticket('scanned');
        const { checkCode } = await phone.approve();
        await events.ticket('approved');
        const finished = await browser.finish(`${checkCode}`);
        await events.ticket('redeemed');
        expect((await browser.tokens(finished.json().redirectTo)).claims()).to.include({ sub: 'a11ce' });

        await host.stop();
        expect(await events.block()).to.match(/^retry: \d+$/);
        expect(await events.block()).to.equal(undefined);
        expect(warnings).not.to.include('QR_LOGIN_NOT_PARKED');
      });
    });
  }
}
