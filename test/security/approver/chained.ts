/** Row 31 of the table in docs/security.md: a browser that was signed in by QR approves no other browser. */
import { BrowserVisitor, PhoneVisitor } from '../../support/visitors.ts';
import type { Attack } from '../attack.ts';
import { browserAt, followToRp, phoneOf, scanAndApprove } from '../meeting.ts';
import { copyCookies } from './people.ts';

export const chained: Attack[] = [
  {
    row: 31,
    name: 'approves further browsers in a browser that the victim has approved by mistake',
    without: {
      defence: 'a demand for a sign-in on the approving device itself',
      options: { qrLogin: { qrApprovers: true } },
    },
    run: async (site) => {
      const first = await browserAt(site);
      const checkCode = await scanAndApprove(await phoneOf(site), first);
      if ((await followToRp(first, await first.finish(checkCode))) === undefined)
        throw new Error('no user is signed in');
      const asPhone = new PhoneVisitor(site);
      await copyCookies(first.agent, asPhone.agent, site.issuer);
      const second = new BrowserVisitor(site);
      await second.start();
      const scanned = await asPhone.scan(await second.code());
      if (scanned.status !== 200) throw new Error(`the first browser cannot scan: ${scanned.text}`);
      await asPhone.decide('approve');
      return followToRp(second, await second.finish());
    },
  },
];
