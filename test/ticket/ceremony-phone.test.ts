import { expect } from 'chai';
import { checkCodeOf } from '../../src/ticket/codes/check-code.ts';
import type { Judge, Verdict } from '../../src/ticket/risk.ts';
import type { Approver, Ticket } from '../../src/ticket/ticket.ts';
import { newTicketId } from '../../src/ticket/ticket-id.ts';
import { alice, awaitRefusal, bob, LIFETIMES, NOW, refusal, signInRequest } from './builders.ts';
import { INTERACTION, ME, setUpScene, showInput } from './scene.ts';

const yes = { approver: alice() };
/** The refusal for another session of the account that has scanned. */
const ELSEWHERE = { code: 'wrong_state', reason: 'elsewhere' };

/** An assessment that must not be called. */
const forbidden: Judge = () => {
  throw new Error('the assessment was called');
};

describe('a phone that reads a code', () => {
  const scene = setUpScene();

  it('gets the ticket id of a code that is on the screen, and the code is fresh', async () => {
    const id = await scene().showCode();
    expect(scene().phone.read(scene().codes.show(id, scene().now).code)).to.deep.equal({ id, isOnScreen: true });
  });

  it('gets the ticket id of a code from an old picture, and the code is not fresh', async () => {
    const id = await scene().showCode();
    const { code } = scene().codes.show(id, scene().now);
    scene().now += 40_000;
    expect(scene().phone.read(code)).to.deep.equal({ id, isOnScreen: false });
  });

  it('gets not_found for a code that is not valid', () => {
    expect(refusal(() => scene().phone.read('no code')).code).to.equal('not_found');
    expect(refusal(() => scene().phone.read('')).code).to.equal('not_found');
  });
});

describe('a phone that scans', () => {
  const scene = setUpScene();

  it('a waiting ticket becomes its approver', async () => {
    const id = await scene().showCode();
    const { ticket, changed } = await scene().phone.scan(id, alice());
    expect(ticket).to.deep.include({ id, state: 'scanned', version: 2, approver: alice() });
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.decide);
    expect(changed).to.equal(true);
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('again gets the same ticket with the same deadline', async () => {
    const id = await scene().scanCode();
    scene().now += 1_000;
    const { ticket, changed } = await scene().phone.scan(id, alice());
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.decide);
    expect(changed).to.equal(false);
    expect(scene().heard).to.have.length(2);
  });

  it('again after the decision gets the ticket as it is', async () => {
    const ticket = await scene().approveSignIn();
    expect(await scene().phone.scan(ticket.id, alice())).to.deep.equal({ ticket, changed: false });
    const { ticket: redeemed } = await scene().browser.finish(ME);
    expect(await scene().phone.scan(ticket.id, alice())).to.deep.equal({ ticket: redeemed, changed: false });
  });

  it('again after the deadline gets the answer that the sign-in is over', async () => {
    const id = await scene().scanCode();
    scene().now += LIFETIMES.decide;
    expect((await awaitRefusal(scene().phone.scan(id, alice()))).code).to.equal('over');
  });

  it('a ticket of the same account on another device gets the reason "elsewhere", until the ticket has ended', async () => {
    const id = await scene().scanCode();
    const elsewhere = alice({ sessionUid: 'another session of alice' });
    expect(await awaitRefusal(scene().phone.scan(id, elsewhere))).to.include(ELSEWHERE);
    expect(await awaitRefusal(scene().phone.look(id, elsewhere))).to.include(ELSEWHERE);
    scene().now += LIFETIMES.decide;
    expect(await awaitRefusal(scene().phone.scan(id, elsewhere))).to.include({ code: 'over', reason: 'expired' });
  });

  it('a ticket that has ended gets the reason of the end', async () => {
    const renewed = await scene().scanCode();
    await scene().browser.renew(showInput());
    expect(await awaitRefusal(scene().phone.look(renewed, alice()))).to.include({ code: 'over', reason: 'renewed' });
    const cancelled = await scene().scanCode();
    await scene().browser.cancel(ME);
    expect(await awaitRefusal(scene().phone.look(cancelled, alice()))).to.include({
      code: 'over',
      reason: 'cancelled',
    });
  });

  it('a ticket of another approver gets exactly the same answer as for an unknown or expired ticket', async () => {
    const id = await scene().scanCode();
    const foreign = await awaitRefusal(scene().phone.scan(id, bob()));
    const unknown = await awaitRefusal(scene().phone.scan(newTicketId(INTERACTION), bob()));
    scene().now += LIFETIMES.decide;
    const foreignExpired = await awaitRefusal(scene().phone.scan(id, bob()));
    await scene().browser.renew(showInput());
    const waiting = (await scene().browser.look(ME))?.id ?? '';
    scene().now += LIFETIMES.scan;
    const expired = await awaitRefusal(scene().phone.scan(waiting, bob()));
    for (const refusal of [foreign, foreignExpired, expired]) {
      expect({ code: refusal.code, message: refusal.message }).to.deep.equal({
        code: 'not_found',
        message: unknown.message,
      });
    }
  });
});

describe('a phone that looks at a ticket', () => {
  const scene = setUpScene();

  it('sees the ticket in each state after the scan', async () => {
    const id = await scene().scanCode();
    expect((await scene().phone.look(id, alice())).state).to.equal('scanned');
    await scene().phone.approve(id, yes);
    expect((await scene().phone.look(id, alice())).state).to.equal('approved');
    await scene().browser.finish(ME, undefined);
    expect((await scene().phone.look(id, alice())).state).to.equal('redeemed');
  });

  it('gets not_found before it scans, for an unknown ticket, and for a ticket that another approver scanned', async () => {
    const id = await scene().showCode();
    expect((await awaitRefusal(scene().phone.look(id, alice()))).code).to.equal('not_found');
    expect((await awaitRefusal(scene().phone.look(newTicketId(INTERACTION), alice()))).code).to.equal('not_found');
    await scene().phone.scan(id, alice());
    expect((await awaitRefusal(scene().phone.look(id, bob()))).code).to.equal('not_found');
  });

  it('after the deadline gets the answer that the sign-in is over', async () => {
    const id = await scene().scanCode();
    scene().now += LIFETIMES.decide;
    expect((await awaitRefusal(scene().phone.look(id, alice()))).code).to.equal('over');
    expect((await awaitRefusal(scene().phone.look(id, bob()))).code).to.equal('not_found');
  });

  it('after the browser cancelled gets the answer that the sign-in is over', async () => {
    const id = await scene().scanCode();
    await scene().browser.cancel(ME);
    expect((await awaitRefusal(scene().phone.look(id, alice()))).code).to.equal('over');
  });
});

describe('a decision of the phone', () => {
  const scene = setUpScene();

  it('to approve records the session as it is now', async () => {
    const id = await scene().scanCode();
    const fresh = alice({ authenticatedAt: NOW / 1000 });
    const { ticket } = await scene().phone.approve(id, { approver: fresh });
    expect(ticket).to.deep.include({ id, state: 'approved', version: 3, approver: { ...fresh, forTicket: true } });
    expect(ticket).not.to.have.property('checkCode');
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('to approve with a check code gives the phone six digits to show, which are in no store', async () => {
    const ticket = await scene().approveSignIn('check code');
    const digits = scene().phone.checkCode(ticket, alice());
    expect(scene().phone.checkCode(ticket, bob())).to.equal(undefined);
    expect(digits).to.equal(checkCodeOf(scene().keys, ticket.id));
    expect(JSON.stringify(await scene().store.find(ticket.id))).not.to.include(`"${digits}"`);
  });

  it('to deny makes the ticket denied', async () => {
    const { ticket } = await scene().phone.deny(await scene().scanCode(), alice());
    expect(ticket).to.deep.include({ state: 'denied', version: 3, approver: alice() });
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
  });

  it('to approve gets the same answer when it is repeated, until the browser is signed in and after that', async () => {
    const ticket = await scene().approveSignIn('check code');
    const again = { ...yes, remember: true, judge: forbidden };
    expect(await scene().phone.approve(ticket.id, again)).to.deep.equal({ ticket, changed: false });
    const checkCode = scene().phone.checkCode(ticket, alice());
    const { ticket: redeemed } = await scene().browser.finish(ME, { checkCode });
    expect(await scene().phone.approve(ticket.id, again)).to.deep.equal({ ticket: redeemed, changed: false });
    expect(redeemed).to.include({ remember: false });
    expect(scene().heard.map(({ state }) => state)).to.deep.equal(['waiting', 'scanned', 'approved', 'redeemed']);
  });

  it('to approve gets the reason of the end when it is repeated after the sign-in has ended', async () => {
    const { id } = await scene().approveSignIn('check code');
    const checkCode = checkCodeOf(scene().keys, id) === '000000' ? '000001' : '000000';
    for (let tries = 0; tries < 3; tries++) await awaitRefusal(scene().browser.finish(ME, { checkCode }));
    expect(await awaitRefusal(scene().phone.approve(id, yes))).to.include({ code: 'over', reason: 'check-code' });
    const expired = (await scene().browser.renew(showInput())).ticket.id;
    await scene().phone.scan(expired, alice());
    await scene().phone.approve(expired, yes);
    scene().now += LIFETIMES.finish;
    expect(await awaitRefusal(scene().phone.approve(expired, yes))).to.include({ code: 'over', reason: 'expired' });
  });

  it('to deny or to give up gets the same answer when it is repeated', async () => {
    const { ticket } = await scene().phone.deny(await scene().scanCode(), alice());
    const { id } = ticket;
    expect(await scene().phone.deny(id, alice())).to.deep.equal({ ticket, changed: false });
    expect(await scene().phone.giveUp(id, alice())).to.deep.equal({ ticket, changed: false });
    expect(scene().heard).to.have.length(3);
  });

  it('gets an error with the current state if it contradicts the first decision, and causes no assessment', async () => {
    const { id } = await scene().approveSignIn();
    const elsewhere = alice({ sessionUid: 'another session of alice' });
    for (const act of [scene().phone.deny(id, alice()), scene().phone.giveUp(id, alice())]) {
      expect(await awaitRefusal(act)).to.include({ code: 'wrong_state', reason: 'approved', state: 'approved' });
    }
    await scene().browser.finish(ME);
    expect(await awaitRefusal(scene().phone.deny(id, alice()))).to.include({ reason: 'redeemed', state: 'redeemed' });
    expect(await awaitRefusal(scene().phone.deny(id, elsewhere))).to.include({ code: 'over' });
    const denied = (await scene().browser.show(showInput({ interaction: 'another interaction' }))).ticket.id;
    await scene().phone.scan(denied, alice());
    await scene().phone.deny(denied, alice());
    const approval = scene().phone.approve(denied, { ...yes, judge: forbidden });
    expect(await awaitRefusal(approval)).to.include({ code: 'wrong_state', reason: 'denied', state: 'denied' });
  });

  it('is refused after the deadline', async () => {
    const id = await scene().scanCode();
    scene().now += LIFETIMES.decide;
    expect((await awaitRefusal(scene().phone.approve(id, yes))).code).to.equal('over');
    expect((await awaitRefusal(scene().phone.deny(id, alice()))).code).to.equal('over');
  });

  it('is accepted only for a ticket that the same session scanned', async () => {
    const id = await scene().scanCode();
    for (const [ticket, approver] of [
      [id, bob()],
      [newTicketId(INTERACTION), alice()],
    ] as const) {
      expect((await awaitRefusal(scene().phone.approve(ticket, { approver }))).code).to.equal('not_found');
      expect((await awaitRefusal(scene().phone.deny(ticket, approver))).code).to.equal('not_found');
    }
    const elsewhere = alice({ sessionUid: 'another session of alice' });
    expect(await awaitRefusal(scene().phone.approve(id, { approver: elsewhere }))).to.include(ELSEWHERE);
    expect(await awaitRefusal(scene().phone.deny(id, elsewhere))).to.include(ELSEWHERE);
    expect((await scene().phone.look(id, alice())).state).to.equal('scanned');
  });

  it('to approve requires a new sign-in if the request demands one', async () => {
    const request = signInRequest({ requirements: { reauthenticate: true } });
    const { ticket } = await scene().browser.show(showInput({ request }));
    await scene().phone.scan(ticket.id, alice());
    expect((await awaitRefusal(scene().phone.approve(ticket.id, yes))).code).to.equal('sign_in_again');
    const again = alice({ authenticatedAt: NOW / 1000 + 5 });
    const { ticket: approved } = await scene().phone.approve(ticket.id, { approver: again });
    expect(approved.approver.authenticatedAt).to.equal(NOW / 1000 + 5);
  });
});

describe('the assessment of the deployment', () => {
  const scene = setUpScene();
  const deny: Judge = () => 'deny';

  it('lets the phone scan the ticket if it allows the scan or requires a check code', async () => {
    for (const verdict of ['allow', 'check code'] as const) {
      const { ticket } = await scene().browser.renew(showInput());
      const { ticket: scanned } = await scene().phone.scan(ticket.id, alice(), { judge: () => verdict });
      expect(scanned.state, verdict).to.equal('scanned');
      expect(scanned, verdict).not.to.have.property('checkCode');
    }
  });

  it('ends the ticket if it denies the scan, and the browser is notified of the denial only', async () => {
    const id = await scene().showCode();
    const { ticket, changed } = await scene().phone.scan(id, alice(), { judge: deny });
    expect(ticket).to.deep.include({ id, state: 'denied', because: 'risk', approver: alice() });
    expect(ticket.deadline).to.equal(NOW + LIFETIMES.finish);
    expect(changed).to.equal(true);
    expect(scene().heard.map(({ state }) => state)).to.deep.equal(['waiting', 'denied']);
    expect(await scene().phone.scan(id, alice(), { judge: forbidden })).to.deep.equal({ ticket, changed: false });
    expect(await scene().phone.approve(id, yes)).to.deep.equal({ ticket, changed: false });
    expect((await scene().browser.finish(ME)).ticket.state).to.equal('denied');
  });

  it('is not called for a second scan by the same phone', async () => {
    const id = await scene().scanCode();
    const { ticket, changed } = await scene().phone.scan(id, alice(), { judge: deny });
    expect([ticket.state, changed]).to.deep.equal(['scanned', false]);
  });

  it('ends the ticket if it denies the approval', async () => {
    const id = await scene().scanCode();
    const now = alice({ authenticatedAt: NOW / 1000 });
    const { ticket } = await scene().phone.approve(id, { approver: now, judge: deny });
    expect(ticket).to.deep.include({ id, state: 'denied', because: 'risk', approver: now, version: 3 });
    expect(scene().heard.at(-1)).to.deep.equal(ticket);
    expect(await scene().phone.approve(id, { ...yes, judge: forbidden })).to.deep.equal({ ticket, changed: false });
  });

  it('gets the ticket and the approver', async () => {
    const judged: unknown[] = [];
    const judge = async ({ id, state }: Ticket, { accountId }: Approver): Promise<Verdict> => {
      judged.push({ id, state, accountId });
      return 'allow';
    };
    const id = await scene().showCode();
    await scene().phone.scan(id, alice(), { judge });
    await scene().phone.approve(id, { approver: alice(), judge });
    expect(judged).to.deep.equal([
      { id, state: 'scanned', accountId: 'alice' },
      { id, state: 'scanned', accountId: 'alice' },
    ]);
  });

  it('is not called for the ticket of another approver', async () => {
    const id = await scene().scanCode();
    const judge: Judge = () => {
      throw new Error('the assessment was called');
    };
    expect((await awaitRefusal(scene().phone.scan(id, bob(), { judge }))).code).to.equal('not_found');
    expect((await awaitRefusal(scene().phone.approve(id, { approver: bob(), judge }))).code).to.equal('not_found');
  });

  it('has no effect if it takes longer than the ticket lives, because the sign-in is then over', async () => {
    for (const verdict of ['allow', 'deny'] as const) {
      const { ticket } = await scene().browser.renew(showInput());
      await scene().phone.scan(ticket.id, alice());
      const judge: Judge = () => {
        scene().now += LIFETIMES.decide;
        return verdict;
      };
      const late = scene().phone.approve(ticket.id, { approver: alice(), judge });
      expect((await awaitRefusal(late)).code, verdict).to.equal('over');
    }
  });
});
