import { expect } from 'chai';
import * as transitions from '../../src/ticket/transitions.ts';
import {
  alice,
  approved,
  at,
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
const refresh = alice({ authenticatedAt: NOW / 1000, amr: ['pwd', 'otp'] });

describe('what a ticket holds after each step', () => {
  it('shown: what was fixed, from version 1 on', () => {
    expect(transitions.show(newTicket, undefined, at(NOW))).to.deep.equal({
      ...newTicket,
      state: 'waiting',
      version: 1,
      shownAt: NOW,
      since: NOW,
      deadline: NOW + LIFETIMES.scan,
    });
  });

  it('shown after another one: its versions go on, with one left out for "expired"', () => {
    expect(transitions.show(newTicket, cancelled({ version: 7 }), at(NOW)).version).to.equal(9);
  });

  it('scanned: the first approver as well', () => {
    expect(transitions.scan(waiting(), alice(), at(NOW))).to.deep.equal({
      ...waiting(),
      state: 'scanned',
      version: 2,
      approver: alice(),
      since: NOW,
      deadline: NOW + LIFETIMES.decide,
    });
  });

  it('scanned by typing: that as well', () => {
    expect(transitions.scanTyped(waiting(), alice(), at(NOW))).to.deep.equal({
      ...transitions.scan(waiting(), alice(), at(NOW)),
      typed: true,
    });
  });

  it('approved where it was typed: the check code, although nobody asked for it, and no word of typing', () => {
    const typed = scanned({ typed: true });
    expect(transitions.approve(typed, { approver: alice(), checkCode: false }, at(NOW))).to.deep.equal(
      transitions.approve(scanned(), { approver: alice(), checkCode: true }, at(NOW)),
    );
  });

  it('approved: the approver as the session is now, and no check code', () => {
    expect(transitions.approve(scanned(), { approver: refresh, checkCode: false }, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'approved',
      version: 3,
      approver: refresh,
      remember: false,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('approved with a check code: that none was typed wrong yet', () => {
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

  it('denied: the approver who scanned', () => {
    expect(transitions.deny(scanned(), refresh, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'person',
      version: 3,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('reported: the same, for as long as the interaction lasts', () => {
    expect(transitions.report(scanned(), refresh, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'report',
      version: 3,
      since: NOW,
      deadline: ENDS_AT,
    });
  });

  it('reported after Approve: whose it was, and nothing of the decision', () => {
    const { remember: _forgotten, ...kept } = approved();
    expect(transitions.report(approved({ checkCode: { wrongTries: 1 } }), refresh, at(NOW))).to.deep.equal({
      ...kept,
      state: 'denied',
      because: 'report',
      version: 4,
      since: NOW,
      deadline: ENDS_AT,
    });
  });

  it('forbidden: the approver as the session is now, and that it was a risk', () => {
    expect(transitions.forbid(scanned(), refresh, at(NOW))).to.deep.equal({
      ...scanned(),
      state: 'denied',
      because: 'risk',
      approver: refresh,
      version: 3,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('redeemed: the approver, and nothing of the check code', () => {
    expect(transitions.redeem(approved({ checkCode: { wrongTries: 1 } }), at(NOW))).to.deep.equal({
      ...approved(),
      state: 'redeemed',
      version: 4,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('a wrong check code: one more wrong try, and the moments of its approval as they were', () => {
    expect(transitions.refuseCheckCode(approved({ checkCode: { wrongTries: 0 } }), at(NOW))).to.deep.equal({
      ...approved(),
      version: 4,
      checkCode: { wrongTries: 1 },
    });
  });

  it('a wrong check code where none was asked for counts as the first', () => {
    expect(transitions.refuseCheckCode(approved(), at(NOW))).to.deep.include({ checkCode: { wrongTries: 1 } });
  });

  it('the third wrong check code: cancelled because of it', () => {
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

  it('cancelled before a scan: why, and nobody', () => {
    expect(transitions.cancel(waiting(), 'renewed', at(NOW))).to.deep.equal({
      ...waiting(),
      state: 'cancelled',
      because: 'renewed',
      version: 2,
      since: NOW,
      deadline: NOW + LIFETIMES.finish,
    });
  });

  it('replaced before a scan, while it was alive: cancelled because of that, a version before the next ticket', () => {
    const ended = transitions.replaced(waiting(), at(NOW));
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

  it('replaced after a scan: whose it was, and nothing of the decision', () => {
    const ended = transitions.replaced(approved({ checkCode: { wrongTries: 1 } }), at(NOW));
    expect(ended).to.deep.include({ state: 'cancelled', because: 'renewed', version: 4, approver: alice() });
    expect(ended).to.not.have.any.keys('checkCode', 'remember');
  });

  it('replaced after its deadline: the same, as another node may think that it is alive', () => {
    for (const ticket of [waiting(), scanned(), approved()]) {
      const ended = transitions.replaced(ticket, at(DEADLINE));
      expect(ended, ticket.state).to.deep.include({ state: 'cancelled', because: 'renewed', since: DEADLINE });
    }
  });

  it('replaced after it had ended: that stays as it was', () => {
    for (const ticket of [denied(), redeemed(), cancelled()]) {
      expect(transitions.replaced(ticket, at(NOW)), ticket.state).to.equal(undefined);
    }
  });

  it('cancelled after a scan: whose it was', () => {
    expect(transitions.cancel(scanned(), 'browser', at(NOW))).to.deep.include({
      state: 'cancelled',
      approver: alice(),
    });
  });
});

describe('deadlines', () => {
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
    replaced: (now: number) => transitions.replaced(waiting({ deadline: ENDS_AT }), at(now)),
    show: (now: number) => transitions.show(newTicket, undefined, at(now)),
  };

  for (const [name, step] of Object.entries(steps)) {
    it(`${name}: never behind the end of the interaction`, () => {
      expect(step(ENDS_AT - 1)?.deadline).to.equal(ENDS_AT);
    });
  }

  it('do not slide however many wrong check codes are typed', () => {
    const first = transitions.refuseCheckCode(approved({ checkCode: { wrongTries: 0 } }), at(NOW + 20_000));
    const second = transitions.refuseCheckCode(first, at(NOW + 40_000));
    expect([first.deadline, second.deadline]).to.deep.equal([DEADLINE, DEADLINE]);
  });

  it('an interaction that is over shows nothing any more', () => {
    expect(refusal(() => transitions.show(newTicket, undefined, at(ENDS_AT))).code).to.equal('over');
    expect(refusal(() => transitions.show(newTicket, redeemed(), at(ENDS_AT + 1))).code).to.equal('over');
  });
});

describe('a request that demands a recent sign-in', () => {
  const since = NOW / 1000 - 30;
  const demanding = scanned({ request: signInRequest({ requirements: { authenticatedSince: since } }) });
  const approve = (authenticatedAt: number) => () =>
    transitions.approve(demanding, { approver: alice({ authenticatedAt }), checkCode: false }, at(NOW));

  it('is not approved by a session that signed in a second too early', () => {
    expect(refusal(approve(since - 1)).code).to.equal('sign_in_again');
  });

  it('is approved by one that signed in at that very second, which is then the approver', () => {
    expect(approve(since)().approver.authenticatedAt).to.equal(since);
  });

  it('may be denied by anybody who scanned it', () => {
    expect(transitions.deny(demanding, alice({ authenticatedAt: since - 1 }), at(NOW)).state).to.equal('denied');
  });

  it('may be reported by anybody who scanned it', () => {
    expect(transitions.report(demanding, alice({ authenticatedAt: since - 1 }), at(NOW)).because).to.equal('report');
  });

  it('says nothing of it to a stranger or too late', () => {
    const stale = { approver: alice({ authenticatedAt: since - 1 }), checkCode: false };
    const stranger = { approver: alice({ sessionUid: 'other', authenticatedAt: since - 1 }), checkCode: false };
    expect(refusal(() => transitions.approve(demanding, stranger, at(NOW))).code).to.equal('not_found');
    expect(refusal(() => transitions.approve(demanding, stale, at(DEADLINE))).code).to.equal('over');
  });
});
