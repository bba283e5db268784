import { expect } from 'chai';
import type { ScannedTicket } from '../../src/ticket/ticket.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import {
  alice,
  approved,
  at,
  bob,
  browserOf,
  cancelled,
  DEADLINE,
  denied,
  ENDS_AT,
  LIFETIMES,
  NOW,
  redeemed,
  refusal,
  scanned,
  signInRequest,
  TICKET_ID,
  waiting,
} from './builders.ts';

const newTicket: transitions.NewTicket = {
  id: TICKET_ID,
  interaction: 'interaction',
  request: signInRequest(),
  browser: browserOf('binding'),
  endsAt: ENDS_AT,
};
const refreshed = alice({ authenticatedAt: NOW / 1000, amr: ['pwd', 'otp'] });

describe('the record of a ticket', () => {
  it('has the fixed fields and version 1 after it is shown', () => {
    expect(transitions.show(newTicket, undefined, at(NOW))).to.deep.equal({
      ...newTicket,
      state: 'waiting',
      format: 1,
      version: 1,
      shownAt: NOW,
      since: NOW,
      deadline: NOW + LIFETIMES.scan,
    });
  });

  it('continues the versions of the previous ticket, and leaves one version free, which the browser sees if that ticket expires', () => {
    expect(transitions.show(newTicket, cancelled({ version: 7 }), at(NOW)).version).to.equal(9);
  });

  it('has the first approver after a scan', () => {
    expect(transitions.scan(waiting(), alice(), at(NOW))).to.deep.equal({
      ...waiting(),
      state: 'scanned',
      version: 2,
      approver: alice(),
      since: NOW,
      deadline: NOW + LIFETIMES.decide,
    });
  });

  it('says that the short code was typed after a claim by it', () => {
    expect(transitions.scanTyped(waiting(), alice(), at(NOW))).to.deep.equal({
      ...transitions.scan(waiting(), alice(), at(NOW)),
      typed: true,
    });
  });

  it('requires the check code after an approval if the short code was typed, even if the verdict does not', () => {
    const typed = scanned({ typed: true });
    expect(transitions.approve(typed, { approver: alice(), checkCode: false }, at(NOW))).to.deep.equal(
      transitions.approve(scanned(), { approver: alice(), checkCode: true }, at(NOW)),
    );
  });

  it("has the approver's current session and no check code after an approval", () => {
    expect(transitions.approve(scanned(), { approver: refreshed, checkCode: false }, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'approved',
      version: 3,
      approver: { ...refreshed, forTicket: true },
      remember: false,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('has zero wrong tries after an approval with a check code', () => {
    expect(transitions.approve(scanned(), { approver: alice(), checkCode: true }, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'approved',
      version: 3,
      checkCode: { wrongTries: 0 },
      remember: false,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('keeps the session with which the approver scanned if the ticket is denied', () => {
    expect(transitions.deny(scanned(), refreshed, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'person',
      version: 3,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('is denied after a report, until the end of the interaction', () => {
    expect(transitions.report(scanned(), refreshed, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'report',
      version: 3,
      since: NOW,
      deadline: ENDS_AT,
    });
  });

  it('has the approver and nothing of the approval after a report that follows Approve', () => {
    const { remember: _forgotten, ...kept } = approved();
    expect(transitions.report(approved({ checkCode: { wrongTries: 1 } }), refreshed, at(NOW))).to.deep.equal({
      ...kept,
      state: 'denied',
      because: 'report',
      version: 4,
      since: NOW,
      deadline: ENDS_AT,
    });
  });

  it('has the approver\'s current session and the reason "risk" after a denial by the assessment', () => {
    expect(transitions.forbid(scanned(), refreshed, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'risk',
      approver: refreshed,
      version: 3,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('has the approver and nothing of the check code after it is redeemed', () => {
    expect(transitions.redeem(approved({ checkCode: { wrongTries: 1 } }), at(NOW))).to.deep.equal({
      ...approved(),
      state: 'redeemed',
      approvedAt: approved().since,
      version: 4,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('has one more wrong try and unchanged times after a wrong check code', () => {
    expect(transitions.refuseCheckCode(approved({ checkCode: { wrongTries: 0 } }), at(NOW))).to.deep.equal({
      ...approved(),
      version: 4,
      checkCode: { wrongTries: 1 },
    });
  });

  it('has one wrong try after a wrong check code that was not required', () => {
    expect(transitions.refuseCheckCode(approved(), at(NOW))).to.deep.include({ checkCode: { wrongTries: 1 } });
  });

  it('is cancelled because of the check code after the third wrong one', () => {
    const { checkCode: _gone, remember: _forgotten, ...kept } = approved({ checkCode: { wrongTries: 2 } });
    expect(transitions.refuseCheckCode(approved({ checkCode: { wrongTries: 2 } }), at(NOW))).to.deep.equal({
      ...kept,
      state: 'cancelled',
      because: 'check code',
      version: 4,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('has the reason and no approver after it is cancelled before a scan', () => {
    expect(transitions.cancel(waiting(), 'renewed', at(NOW))).to.deep.equal({
      ...waiting(),
      state: 'cancelled',
      because: 'renewed',
      version: 2,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('is cancelled with the reason "renewed", one version below the next ticket, if it is replaced before a scan', () => {
    const ended = transitions.endReplaced(waiting(), at(NOW));
    expect(ended).to.deep.equal({
      ...waiting(),
      state: 'cancelled',
      because: 'renewed',
      version: 2,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
    expect(transitions.show(newTicket, waiting(), at(NOW)).version).to.equal(3);
  });

  it('has the approver and nothing of the decision if it is replaced after a scan', () => {
    const ended = transitions.endReplaced(approved({ checkCode: { wrongTries: 1 } }), at(NOW));
    expect(ended).to.deep.include({ state: 'cancelled', because: 'renewed', version: 4, approver: alice() });
    expect(ended).to.not.have.any.keys('checkCode', 'remember');
  });

  it('is also cancelled if it is replaced after its deadline, because it may still be live by the clock of another node', () => {
    for (const ticket of [waiting(), scanned(), approved()]) {
      const ended = transitions.endReplaced(ticket, at(DEADLINE));
      expect(ended, ticket.state).to.deep.include({ state: 'cancelled', because: 'renewed', since: DEADLINE });
    }
  });

  it('stays unchanged if it is replaced in a final state', () => {
    for (const ticket of [denied(), redeemed(), cancelled()]) {
      expect(transitions.endReplaced(ticket, at(NOW)), ticket.state).to.equal(undefined);
    }
  });

  it('has the approver if it is cancelled after a scan', () => {
    expect(transitions.cancel(scanned(), 'browser', at(NOW))).to.deep.include({
      state: 'cancelled',
      approver: alice(),
    });
  });
});

describe('the deadline of a ticket', () => {
  const steps = {
    scan: (now: number) => transitions.scan(waiting({ deadline: ENDS_AT }), alice(), at(now)),
    approve: (now: number) =>
      transitions.approve(scanned({ deadline: ENDS_AT }), { approver: alice(), checkCode: false }, at(now)),
    deny: (now: number) => transitions.deny(scanned({ deadline: ENDS_AT }), alice(), at(now)),
    report: (now: number) => transitions.report(scanned({ deadline: ENDS_AT }), alice(), at(now)),
    forbid: (now: number) => transitions.forbid(scanned({ deadline: ENDS_AT }), alice(), at(now)),
    redeem: (now: number) => transitions.redeem(approved({ deadline: ENDS_AT }), at(now)),
    'a wrong check code': (now: number) => transitions.refuseCheckCode(approved({ deadline: ENDS_AT }), at(now)),
    'the third wrong check code': (now: number) =>
      transitions.refuseCheckCode(approved({ deadline: ENDS_AT, checkCode: { wrongTries: 2 } }), at(now)),
    cancel: (now: number) => transitions.cancel(waiting({ deadline: ENDS_AT }), 'browser', at(now)),
    replaced: (now: number) => transitions.endReplaced(waiting({ deadline: ENDS_AT }), at(now)),
    show: (now: number) => transitions.show(newTicket, undefined, at(now)),
  };

  for (const [name, step] of Object.entries(steps)) {
    it(`is never after the end of the interaction (${name})`, () => {
      expect(step(ENDS_AT - 1)?.deadline).to.equal(ENDS_AT);
    });
  }

  it('does not move when wrong check codes are typed', () => {
    const first = transitions.refuseCheckCode(approved({ checkCode: { wrongTries: 0 } }), at(NOW + 20_000));
    const second = transitions.refuseCheckCode(first, at(NOW + 40_000));
    expect([first.deadline, second.deadline]).to.deep.equal([DEADLINE, DEADLINE]);
  });

  it('cannot be set in an interaction that is over: no ticket is shown', () => {
    expect(refusal(() => transitions.show(newTicket, undefined, at(ENDS_AT))).code).to.equal('over');
    expect(refusal(() => transitions.show(newTicket, redeemed(), at(ENDS_AT + 1))).code).to.equal('over');
  });
});

describe('a request that demands a recent sign-in', () => {
  const since = NOW / 1000 - 30;
  const demandingOf = (authenticatedAt: number): ScannedTicket =>
    scanned({ approver: alice({ authenticatedAt }), request: signInRequest({ requirements: { maxAge: 30 } }) });
  const demanding = demandingOf(since - 1);
  const approve = (authenticatedAt: number) => () =>
    transitions.approve(
      demandingOf(authenticatedAt),
      { approver: alice({ authenticatedAt }), checkCode: false },
      at(NOW),
    );

  it('is not approved by a session that signed in a second too early', () => {
    expect(refusal(approve(since - 1)).code).to.equal('sign_in_again');
  });

  it('is approved by a session that signed in at exactly that second', () => {
    expect(approve(since)().approver.authenticatedAt).to.equal(since);
  });

  it('may be denied by the approver even if the sign-in is too old', () => {
    expect(transitions.deny(demanding, alice({ authenticatedAt: since - 1 }), at(NOW)).state).to.equal('denied');
  });

  it('may be reported by the approver even if the sign-in is too old', () => {
    expect(transitions.report(demanding, alice({ authenticatedAt: since - 1 }), at(NOW)).because).to.equal('report');
  });

  it('does not tell another session, or anyone after the deadline, that the sign-in is too old', () => {
    const stale = { approver: alice({ authenticatedAt: since - 1 }), checkCode: false };
    const stranger = { approver: { ...bob(), authenticatedAt: since - 1 }, checkCode: false };
    const elsewhere = { approver: alice({ sessionUid: 'other', authenticatedAt: since - 1 }), checkCode: false };
    expect(refusal(() => transitions.approve(demanding, stranger, at(NOW))).code).to.equal('not_found');
    expect(refusal(() => transitions.approve(demanding, elsewhere, at(NOW))).reason).to.equal('elsewhere');
    expect(refusal(() => transitions.approve(demanding, stale, at(DEADLINE))).code).to.equal('over');
  });
});
