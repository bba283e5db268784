import { expect } from 'chai';
import { checkCodeOf } from '../../src/ticket/codes/check-code.ts';
import { reportNames } from '../../src/ticket/reports.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import type { Browser, Ticket } from '../../src/ticket/ticket.ts';
import { alice, awaitRefusal, bob, browserOf, ENDS_AT, SECRETS } from './builders.ts';
import { INTERACTION, ME, setUpScene, showInput } from './scene.ts';

const yes = { approver: alice() };

describe('a report that the approver did not start the sign-in', () => {
  const scene = setUpScene();
  const OTHER = 'another interaction';

  /** Makes this browser show a code in another interaction. @returns the ticket's id */
  async function showIn(browser: Browser): Promise<string> {
    return (await scene().browser.show(showInput({ interaction: OTHER, browser }))).ticket.id;
  }

  async function reportSignIn(): Promise<Ticket> {
    return (await scene().phone.report(await scene().scanCode(), alice())).ticket;
  }

  it('denies the ticket for as long as its interaction lasts', async () => {
    const ticket = await reportSignIn();
    expect(ticket).to.deep.include({ state: 'denied', because: 'report', version: 3, approver: alice() });
    expect(ticket.deadline).to.equal(ENDS_AT);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
    expect((await scene().phone.look(ticket.id, alice())).state).to.equal('denied');
  });

  it('changes nothing when it is repeated, and no other decision can follow', async () => {
    const ticket = await reportSignIn();
    const { id } = ticket;
    expect(await scene().phone.report(id, alice())).to.deep.equal({ ticket, changed: false });
    expect((await awaitRefusal(scene().phone.approve(id, yes))).code).to.equal('wrong_state');
  });

  it('is accepted after Approve, as long as the browser is not signed in', async () => {
    const { id } = await scene().approveSignIn('check code');
    expect((await scene().phone.report(id, alice())).ticket).to.include({ state: 'denied', because: 'report' });
    const digits = checkCodeOf(scene().keys, id);
    expect((await scene().browser.finish(ME, { checkCode: digits })).ticket.state).to.equal('denied');
  });

  it('still counts after the browser has finished, and leaves the ticket redeemed', async () => {
    const { id } = await scene().approveSignIn();
    await scene().browser.finish(ME);
    const first = await scene().phone.report(id, alice());
    expect(first.ticket.state).to.equal('redeemed');
    expect([first.changed, (await scene().phone.report(id, alice())).changed]).to.deep.equal([true, false]);
  });

  it('also ends a newer code that the browser shows meanwhile', async () => {
    const id = await scene().scanCode();
    const { ticket: newer } = await scene().browser.renew(showInput());
    expect((await scene().phone.report(id, alice())).ticket).to.deep.include({ id: newer.id, because: 'report' });
    expect((await scene().browser.renew(showInput())).changed).to.equal(false);
    expect((await awaitRefusal(scene().phone.scan(newer.id, bob()))).code).to.equal('not_found');
    const next = await showIn(browserOf('another binding'));
    expect((await scene().phone.scan(next, alice())).ticket).to.include({ state: 'denied', because: 'blocked' });
  });

  it('does not end a newer code that another account has scanned', async () => {
    const id = await scene().scanCode();
    const { ticket: newer } = await scene().browser.renew(showInput());
    await scene().phone.scan(newer.id, bob());
    expect((await scene().phone.report(id, alice())).ticket.id).to.equal(id);
    expect((await scene().phone.look(newer.id, bob())).state).to.equal('scanned');
  });

  it('still blocks the network address of the browser if the ticket has expired', async () => {
    const id = await scene().scanCode();
    scene().now = (await scene().phone.look(id, alice())).deadline;
    expect((await scene().phone.report(id, alice())).ticket.state).to.equal('scanned');
    const next = await showIn(browserOf('another binding'));
    expect((await scene().phone.scan(next, alice())).ticket).to.include({ state: 'denied', because: 'blocked' });
  });

  it('prevents another code in this interaction', async () => {
    const { id } = await reportSignIn();
    const before = scene().heard.length;
    scene().now = ENDS_AT - 1;
    for (const outcome of [
      await scene().browser.renew(showInput()),
      await scene().browser.renew(showInput(), 3),
      await scene().browser.show(showInput()),
    ]) {
      expect(outcome.ticket).to.deep.include({ id, state: 'denied', because: 'report' });
      expect(outcome.changed).to.equal(false);
    }
    expect(scene().heard).to.have.length(before);
    expect(await scene().browser.isReported(INTERACTION)).to.equal(true);
  });

  it('differs from a denial, after which the browser can show a new code', async () => {
    await scene().phone.deny(await scene().scanCode(), alice());
    expect(await scene().browser.isReported(INTERACTION)).to.equal(false);
    expect((await scene().browser.renew(showInput())).ticket.state).to.equal('waiting');
    expect(await scene().browser.isReported(INTERACTION)).to.equal(false);
    expect(await scene().browser.isReported(OTHER)).to.equal(false);
  });

  it("causes a denial of the account's next scan of a code from the same network address, even if the assessment allows it", async () => {
    await reportSignIn();
    const id = await showIn(browserOf('another binding'));
    const { ticket } = await scene().phone.scan(id, alice({ sessionUid: 'another phone' }), { judge: () => 'allow' });
    expect(ticket).to.deep.include({ state: 'denied', because: 'blocked' });
  });

  it('prevents the approval of a ticket from the same network address that the account has scanned before', async () => {
    const id = await showIn(browserOf('another binding'));
    await scene().phone.scan(id, alice());
    await reportSignIn();
    expect((await scene().phone.approve(id, yes)).ticket).to.include({ state: 'denied', because: 'blocked' });
  });

  it('does not affect a code from another network address', async () => {
    await reportSignIn();
    const id = await showIn({ ...browserOf('another binding'), source: '198.51.100.7' });
    expect((await scene().phone.scan(id, alice())).ticket.state).to.equal('scanned');
    expect((await scene().phone.approve(id, yes)).ticket.state).to.equal('approved');
  });

  it('does not affect another account that scans a code from the same network address', async () => {
    await reportSignIn();
    const id = await showIn(browserOf('another binding'));
    expect((await scene().phone.scan(id, bob())).ticket.state).to.equal('scanned');
    expect((await scene().phone.approve(id, { approver: bob() })).ticket.state).to.equal('approved');
  });

  it('is refused and not recorded for a ticket that the account has not scanned', async () => {
    const id = await scene().scanCode();
    expect((await awaitRefusal(scene().phone.report(id, bob()))).code).to.equal('not_found');
    const other = await showIn(browserOf('another binding'));
    expect((await scene().phone.scan(other, bob())).ticket.state).to.equal('scanned');
  });
});

describe("an account's report", () => {
  const keys = new SecretKeys(SECRETS);
  const browser = browserOf('binding');

  it('covers all browsers at the same network address', () => {
    const other = { ...browserOf('another binding'), address: '192.0.2.9', name: 'Chrome' };
    expect(reportNames(keys, 'alice', other)).to.deep.equal(reportNames(keys, 'alice', browser));
  });

  it('does not cover another account or another network address', () => {
    const names = [
      ...reportNames(keys, 'alice', browser),
      ...reportNames(keys, 'bob', browser),
      ...reportNames(keys, 'alice', { ...browser, source: '192.0.2.2' }),
    ];
    expect(new Set(names).size).to.equal(3);
  });

  it('contains neither the account nor the address', () => {
    expect(reportNames(keys, 'alice', browser)[0]).to.match(/^[\w-]{43}$/);
  });

  it('is found again after a key rotation', () => {
    const rotated = new SecretKeys(['a new secret of at least thirty-two characters', ...SECRETS]);
    expect(reportNames(rotated, 'alice', browser)).to.include.members(reportNames(keys, 'alice', browser));
  });
});
