import { expect } from 'chai';
import { askToSignIn, codeOn, seeScreen } from '../../chromium/acts.ts';
import { scan, signedInPhone } from '../../chromium/phones.ts';
import { useStage } from '../../chromium/use-stage.ts';
import { type AttackSite, startAttackSite } from './attack-page.ts';

describe('a page on another site, opened in a browser that is signed in', () => {
  const stage = useStage();
  let site: AttackSite;

  beforeEach(async () => {
    site = await startAttackSite();
  });

  afterEach(() => site?.stop());

  it('gains nothing by framing, loading, prefetching and posting', async () => {
    stage().expectProblem(new RegExp(`^${site.url}|^about:blank|^chrome-error:`));
    const victim = await signedInPhone(stage());
    const theirs = await scan(stage(), await askToSignIn(stage(), await stage().desktop()), victim);
    const decided = theirs.url();
    // The attacker's own QR page. The page on the other site knows its code.
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    const before = await victim.cookies();

    const page = await stage().open(victim, site.url);
    const { issuer } = stage();
    const looks = [code, decided, screen.url(), `${screen.url()}/qr`, `${issuer}/account`, `${issuer}/session/end`];
    const posts = [
      { url: code, fields: { csrf: '' } },
      { url: decided, fields: { csrf: '', decision: 'approve' } },
      { url: `${screen.url()}/qr/finish`, fields: {} },
      { url: `${screen.url()}/cancel`, fields: {} },
    ];
    const got = await page.evaluate(`tryEverything(${JSON.stringify({ looks, posts })})`);

    expect(got).to.deep.equal([]);
    const framed = page.frames().filter((frame) => frame.url().startsWith(issuer));
    expect(framed.map((frame) => frame.url())).to.deep.equal([]);
    expect(await victim.cookies()).to.deep.equal(before);
    await seeScreen(screen, 'waiting');
    await theirs.reload();
    await theirs.getByRole('button', { name: 'Yes, sign in' }).waitFor();
  });

  it("cannot claim a ticket by opening the address of the attacker's code without a tap by the user", async () => {
    const victim = await signedInPhone(stage());
    const screen = await askToSignIn(stage(), await stage().desktop());
    const code = await codeOn(screen);
    const page = await stage().open(victim, site.url);
    await page.evaluate(`location.assign(${JSON.stringify(code)})`);
    await page
      .getByRole('button', { name: 'Continue' })
      .or(page.getByRole('button', { name: 'No, decline' }))
      .waitFor();
    await page.waitForLoadState('networkidle');
    expect(await page.getByRole('button', { name: 'No, decline' }).isVisible()).to.equal(false);
    await seeScreen(screen, 'waiting');
  });
});
