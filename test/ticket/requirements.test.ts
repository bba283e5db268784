import { expect } from 'chai';
import { canTakeOver, markIfForTicket, unmetBy } from '../../src/ticket/requirements.ts';
import type { Requirements, ScannedTicket, SessionApprover } from '../../src/ticket/ticket.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import { alice, awaitRefusal, LIFETIMES, NOW, scanned, signInRequest, waiting } from './builders.ts';

const SECOND_MS = 1000;
const NOW_S = NOW / SECOND_MS;
const moment = { now: NOW, lifetimes: LIFETIMES };

function demanding(requirements: Requirements, more: Partial<ScannedTicket> = {}): ScannedTicket {
  return scanned({ request: { ...signInRequest(), requirements }, ...more });
}

function approverWith(more: Partial<SessionApprover>): SessionApprover {
  return { ...alice(), ...more };
}

describe('the requirements of a request', () => {
  const rows: [string, Requirements, Partial<SessionApprover>, ReturnType<typeof unmetBy>][] = [
    ['are met by any approver if there are none', {}, {}, undefined],
    [
      'for a new sign-in are not met by any sign-in from before the ticket',
      { reauthenticate: true },
      { authenticatedAt: NOW_S },
      'freshness',
    ],
    [
      'for a new sign-in are met by a sign-in for this ticket',
      { reauthenticate: true },
      { forTicket: true },
      undefined,
    ],
    [
      'for a maximum age are met by a sign-in of exactly that age',
      { maxAge: 60 },
      { authenticatedAt: NOW_S - 60 },
      undefined,
    ],
    ['for a maximum age are not met by an older sign-in', { maxAge: 60 }, { authenticatedAt: NOW_S - 61 }, 'freshness'],
    [
      'for a maximum age of one second are met by a sign-in for this ticket',
      { maxAge: 1 },
      { authenticatedAt: NOW_S - 9, forTicket: true },
      undefined,
    ],
    [
      'for a maximum age of 0 are not met by a sign-in of this second',
      { maxAge: 0 },
      { authenticatedAt: NOW_S },
      'freshness',
    ],
    [
      'for an essential class are met by one of the named classes',
      { essentialAcr: ['a', 'b'] },
      { acr: 'b' },
      undefined,
    ],
    ['for an essential class are not met by another class', { essentialAcr: ['a', 'b'] }, { acr: 'c' }, 'acr'],
    ['for a voluntary class are met by any class', { acrValues: ['a'] }, { acr: 'c' }, undefined],
    ['for a subject are met by that subject', { subject: 'alice-there' }, { subject: 'alice-there' }, undefined],
    ['for a subject are not met by another subject', { subject: 'bob-there' }, { subject: 'alice-there' }, 'account'],
    ['are not met by an approver who was signed in by QR', {}, { byQr: true }, 'local'],
    [
      'are met by an approver who was signed in by QR if the deployment allows it',
      { allowsQrApprover: true },
      { byQr: true },
      undefined,
    ],
    ['report a wrong account before a wrong class', { subject: 'x', essentialAcr: ['a'] }, {}, 'account'],
  ];
  for (const [name, requirements, approver, unmet] of rows) {
    it(name, () => {
      expect(unmetBy(demanding(requirements), approverWith(approver), NOW)).to.equal(unmet);
    });
  }

  it('for an essential class are not met by an approver without a class', () => {
    const { acr: _none, ...classless } = alice();
    expect(unmetBy(demanding({ essentialAcr: ['a'] }), classless, NOW)).to.equal('acr');
  });
});

describe('a sign-in for a ticket', () => {
  it('is a sign-in that the phone did not have when it scanned, even if clocks differ', () => {
    const ticket = scanned({ approver: approverWith({ authenticatedAt: NOW_S }) });
    for (const authenticatedAt of [NOW_S - 90, NOW_S + 1, NOW_S + 90]) {
      expect(markIfForTicket(ticket, approverWith({ authenticatedAt })).forTicket).to.equal(true);
    }
    expect(markIfForTicket(ticket, approverWith({ authenticatedAt: NOW_S })).forTicket).to.equal(undefined);
  });

  it('is still marked after the approval and the finish', () => {
    const current = approverWith({ authenticatedAt: NOW_S + 1 });
    const approved = transitions.approve(
      demanding({ reauthenticate: true }),
      { approver: current, checkCode: false },
      moment,
    );
    expect(approved.approver).to.deep.equal({ ...current, forTicket: true });
    expect(transitions.redeem(approved, moment).approver.forTicket).to.equal(true);
  });

  it('does not exist before a scan', () => {
    expect(markIfForTicket(waiting(), alice()).forTicket).to.equal(undefined);
  });
});

describe('an approver who does not meet a requirement', () => {
  const cases: [Requirements, Partial<SessionApprover>, string, string][] = [
    [{ subject: 'bob-there' }, { subject: 'alice-there' }, 'wrong_account', 'account'],
    [{ reauthenticate: true }, {}, 'sign_in_again', 'freshness'],
    [{ essentialAcr: ['strong'] }, { acr: 'weak' }, 'insufficient_acr', 'acr'],
  ];
  for (const [requirements, more, code, because] of cases) {
    it(`may not approve (${code}), but may decline for that reason`, async () => {
      const ticket = demanding(requirements);
      const approver = approverWith(more);
      const approval = { approver, checkCode: false };
      expect((await awaitRefusal((async () => transitions.approve(ticket, approval, moment))())).code).to.equal(code);
      expect(transitions.giveUp(ticket, approver, moment)).to.deep.include({ state: 'denied', because });
    });
  }

  it('may not decline for that reason if all requirements are met', async () => {
    const act = (async () => transitions.giveUp(scanned(), alice(), moment))();
    expect((await awaitRefusal(act)).code).to.equal('invalid_request');
  });
});

describe('a ticket that the wrong account has scanned', () => {
  const wanted = demanding({ subject: 'bob-there' }, { approver: approverWith({ subject: 'alice-there' }) });
  const bob: SessionApprover = {
    accountId: 'bob',
    sessionUid: 'session-of-bob',
    authenticatedAt: NOW_S,
    subject: 'bob-there',
  };

  it('can be scanned by the right account in the time that is left', () => {
    expect(canTakeOver(wanted, bob)).to.equal(true);
    expect(transitions.scan(wanted, bob, moment)).to.deep.equal({
      ...wanted,
      version: wanted.version + 1,
      since: moment.now,
      approver: bob,
    });
  });

  it('cannot be scanned by another wrong account', async () => {
    const carol = { ...bob, accountId: 'carol', subject: 'carol-there' };
    expect((await awaitRefusal((async () => transitions.scan(wanted, carol, moment))())).code).to.equal('not_found');
  });

  it('is the only ticket that can be taken over, unlike a ticket of the right account or a waiting one', () => {
    expect(
      canTakeOver(demanding({ subject: 'bob-there' }, { approver: bob }), { ...bob, sessionUid: 'other' }),
    ).to.equal(false);
    expect(canTakeOver(waiting(), bob)).to.equal(false);
  });
});
