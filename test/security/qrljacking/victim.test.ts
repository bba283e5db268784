/** Tests the victim's side of QRLJacking (OWASP): the warnings on the phone, and the effect of a No. */
import { expect } from 'chai';
import { approve, checkCodeOn } from '../../chromium/acts.ts';
import { useStage } from '../../chromium/use-stage.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { BY_DEFAULT, ELSEWHERE, openAttackerSite, PLACES, phoneOf, scan, scanAndApprove } from './lured.ts';

describe('QRLJacking, for the victim', () => {
  const stage = useStage({ ...BY_DEFAULT, locate: (address) => PLACES[address] }, { proxy: true });

  it('is visible on the phone, which shows app, place and time, and asks if the victim started it', async () => {
    const site = await openAttackerSite(stage());
    const phone = await phoneOf(stage());
    stage().clock.forward(70);
    const page = await scan(stage(), phone, site);
    const [shownThere = ''] = await page.locator('dl').allInnerTexts();
    const facts = shownThere.replaceAll(/\s+/g, ' ').replace('AL Alice', 'Alice');
    expect(await page.getByRole('heading', { name: 'Sign in to Demo app?' }).isVisible()).to.equal(true);
    for (const fact of [
      'Account Alice Liddell',
      `Website ${new URL(stage().rpUrl).host}`,
      'Device Chrome on Windows Lisbon, Portugal · Started: 1 minute ago',
    ]) {
      expect(facts).to.include(fact);
    }
    for (const text of [
      'Did you start this sign-in yourself, on a device in front of you?',
      'If someone sent you this QR code, or you found it on a website, decline.',
      'The device and the place are estimates.',
      'the person at that device can use Demo app as Alice Liddell',
    ]) {
      expect(await page.getByText(text).isVisible(), text).to.equal(true);
    }
    for (const name of ['No, decline', 'I did not start this']) {
      expect(await page.getByRole('button', { name }).isVisible(), name).to.equal(true);
    }
  });

  it('ends with "I did not start this", after which the attacker and the next code of the attacker are refused', async () => {
    const site = await openAttackerSite(stage());
    const phone = await phoneOf(stage());
    const page = await scan(stage(), phone, site);
    await page.getByRole('button', { name: 'I did not start this' }).click();
    await page.getByRole('heading', { name: 'Declined and reported' }).waitFor();
    await site.waitForState('denied');
    expect(await site.arrive(await site.finish())).to.include('data-error="access_denied"');

    await site.begin();
    const again = await stage().open(phone, await site.code());
    await again.getByRole('heading', { name: 'Refused because of your report' }).waitFor();
    await site.waitForState('denied');
    expect(await site.arrive(await site.finish())).to.include('data-error="access_denied"');

    // An account that has reported nothing can still approve there, and the victim can still approve a code from
    // another address.
    await site.begin();
    await scan(stage(), await phoneOf(stage(), 'bob'), site);
    const elsewhere = await openAttackerSite(stage(), ELSEWHERE);
    await approve(await scan(stage(), phone, elsewhere));
    expect((await elsewhere.finish()).json().error).to.equal('check_code_required');
  });

  it('ends with "I did not start this" while the phone shows the digits, which then become invalid', async () => {
    const site = await openAttackerSite(stage());
    const phone = await scanAndApprove(stage(), site);
    const digits = await checkCodeOn(phone);
    await phone.getByRole('button', { name: 'I did not start this' }).click();
    await phone.getByRole('heading', { name: 'Declined and reported' }).waitFor();
    expect(await site.arrive(await site.finish(digits))).to.include('data-error="access_denied"');
    expect(await site.isSignedIn()).to.equal(false);
  });

  inFullSuite(() =>
    it('cannot put the page with the code or the confirm page into a frame', async () => {
      stage().expectProblem(/frame|X-Frame-Options|CSP frame-ancestors/i);
      const site = await openAttackerSite(stage());
      const phone = await phoneOf(stage());
      const confirm = await scan(stage(), phone, site);
      const asks = confirm.url();

      // The frame is on the same site, so it gets the victim's cookies. Without the headers, the page would show.
      const trap = await stage().open(phone);
      await trap.route(asks, async (route) => {
        const response = await route.fetch();
        const { 'content-security-policy': _csp, 'x-frame-options': _frames, ...headers } = response.headers();
        await route.fulfill({ response, headers });
      });
      await trap.goto(site.url(`/frame?src=${encodeURIComponent(asks)}`));
      await trap.frameLocator('iframe').getByRole('button', { name: 'Yes, sign in' }).waitFor();
      await trap.unroute(asks);

      for (const src of [asks, site.at, `${stage().rpUrl}/login`]) {
        await trap.goto(site.url(`/frame?src=${encodeURIComponent(src)}`));
        expect(trap.frames()[1]?.url(), src).to.equal('chrome-error://chromewebdata/');
        expect(await trap.frameLocator('iframe').getByRole('button', { name: 'Yes, sign in' }).count()).to.equal(0);
      }
    }),
  );
});
