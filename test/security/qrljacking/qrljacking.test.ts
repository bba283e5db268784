/** Tests QRLJacking (OWASP): a victim scans the code of the attacker's sign-in and approves. */
import { expect } from 'chai';
import { approve, checkCodeOn, otherThan } from '../../chromium/acts.ts';
import { scanCode } from '../../chromium/phones.ts';
import { seeCodeOtherThan, ticketIn } from '../../chromium/qr-from-pixels.ts';
import { useStage } from '../../chromium/use-stage.ts';
import { claimsIn } from './attacker-site.ts';
import {
  approveBeside,
  BY_DEFAULT,
  openAttackerSite,
  openLure,
  phoneOf,
  scan,
  scanAndApprove,
  VICTIM,
} from './lured.ts';

describe('QRLJacking without a check code', () => {
  const stage = useStage({ assess: () => 'allow' }, { proxy: true });

  it('signs the attacker in as the victim that approves', async () => {
    const site = await openAttackerSite(stage());
    const code = await seeCodeOtherThan(await openLure(stage(), site), '');
    await approve(await scanCode(stage(), code, await phoneOf(stage())));
    await site.waitForState('approved');
    expect(claimsIn(await site.arrive(await site.finish()))).to.include({ sub: 'a11ce' });
  });

  it('needs a page that follows each rotation, because a picture is invalid half a minute later', async () => {
    stage().expectProblem(/404/);
    const site = await openAttackerSite(stage());
    const lure = await openLure(stage(), site);
    const picture = await seeCodeOtherThan(lure, '');
    stage().clock.forward(31);
    const live = await seeCodeOtherThan(lure, picture);
    expect(ticketIn(live)).to.equal(ticketIn(picture));
    const phone = await phoneOf(stage());
    const late = await stage().open(phone, picture);
    await late.getByText('This QR code is no longer valid').waitFor();
    expect((await site.ticket()).state).to.equal('waiting');
    await scanCode(stage(), live, phone);
  });
});

describe('QRLJacking against the default options', () => {
  const stage = useStage(BY_DEFAULT, { proxy: true });

  it('fails with a page that only shows the code, because only the victim sees the digits', async () => {
    const site = await openAttackerSite(stage());
    const phone = await scanAndApprove(stage(), site);
    const digits = await checkCodeOn(phone);
    expect(digits).to.match(/^\d{6}$/);

    const ticket = await site.waitForState('approved');
    expect(ticket.checkCode).to.equal(true);
    expect(JSON.stringify(ticket)).not.to.include(digits);
    const asked = await site.finish();
    expect(asked.status).to.equal(400);
    expect(asked.json().error).to.equal('check_code_required');

    for (let tries = 1; tries <= 3; tries++) expect((await site.finish(otherThan(digits))).status).to.equal(403);
    expect((await site.ticket()).state).to.equal('cancelled');
    expect((await site.finish(digits)).status).to.equal(410);
    expect(await site.isSignedIn()).to.equal(false);
  });

  it('allows twelve guesses of the digits per hour and account, even if the victim approves many times', async () => {
    const site = await openAttackerSite(stage());
    for (let round = 1; round <= 4; round++) {
      const phone = await approveBeside(stage(), site);
      const wrong = otherThan(await phone.checkCode());
      for (let tries = 1; tries <= 3; tries++) expect((await site.finish(wrong)).status).to.equal(403);
      await site.renew();
    }
    const phone = await approveBeside(stage(), site);
    // A request from another network does not help, because the tries are counted by account.
    const refused = await site.finish(await phone.checkCode());
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(3_000, 3_600);
    expect(await site.isSignedIn()).to.equal(false);
  });

  it('succeeds by a live relay of the digits from the victim, which only passkeys can prevent', async () => {
    const site = await openAttackerSite(stage());
    const lure = await openLure(stage(), site);
    const phone = await scan(stage(), await phoneOf(stage()), site);
    await approve(phone);
    await phone.getByText('We never ask for this number by phone, in a message or on another website').waitFor();

    await lure.getByLabel('type the six digits').fill(await checkCodeOn(phone));
    await lure.getByRole('button', { name: 'Verify' }).click();
    await lure.getByRole('heading', { name: 'Thank you' }).waitFor();

    expect(site.relayed?.status).to.equal(200);
    expect(site.relayed && claimsIn(await site.arrive(site.relayed))).to.include({ sub: 'a11ce' });
  });

  it("needs the digits even if the attacker's requests come from the victim's own address", async () => {
    const site = await openAttackerSite(stage(), VICTIM);
    await approveBeside(stage(), site);
    expect((await site.finish()).json().error).to.equal('check_code_required');
  });
});

describe('QRLJacking against a provider that does not know the addresses of clients', () => {
  const stage = useStage(BY_DEFAULT);

  it('also needs the digits', async () => {
    const site = await openAttackerSite(stage());
    await approveBeside(stage(), site);
    expect((await site.finish()).json().error).to.equal('check_code_required');
  });
});
