import { expect } from 'chai';
import { canTakeOver, isDuringRequest, unmetBy } from '../../src/ticket/requirements.ts';
import type { Approver, Requirements, ScannedTicket } from '../../src/ticket/ticket.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import { alice, LIFETIMES, NOW, refused, scanned, signInRequest, waiting } from './builders.ts';

const SECOND_MS = 1000;
const NOW_S = NOW / SECOND_MS;
const moment = { now: NOW, lifetimes: LIFETIMES };

function demanding(requirements: Requirements, more: Partial<ScannedTicket> = {}): ScannedTicket {
  return scanned({ request: { ...signInRequest(), requirements }, ...more });
}

function approverWith(more: Partial<Approver>): Approver {
  return { ...alice(), ...more };
}

describe('the requirements of a request', () => {
  const rows: [string, Requirements, Partial<Approver>, ReturnType<typeof unmetBy>][] = [
    ['are met by any approver if there are none', {}, {}, undefined],
    [
      'for a fresh sign-in are not met by an older one',
      { authenticatedSince: 500 },
      { authenticatedAt: 499 },
      'freshness',
    ],
    [
      'for a fresh sign-in are met by one in the same second',
      { authenticatedSince: 500 },
      { authenticatedAt: 500 },
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
      'for a maximum age of one second are met by a sign-in since the code was shown',
      { maxAge: 1 },
      { authenticatedAt: NOW_S - 9 },
      undefined,
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

  it('do not ask for a new sign-in if the approver has signed in since the code was shown', () => {
    const ticket = scanned({ shownAt: NOW });
    expect(isDuringRequest(ticket, approverWith({ authenticatedAt: NOW_S }))).to.equal(true);
    expect(isDuringRequest(ticket, approverWith({ authenticatedAt: NOW_S - 1 }))).to.equal(false);
  });
});

describe('an approver who does not meet a requirement', () => {
  const cases: [Requirements, Partial<Approver>, string, string][] = [
    [{ subject: 'bob-there' }, { subject: 'alice-there' }, 'wrong_account', 'account'],
    [{ authenticatedSince: NOW_S + 1 }, {}, 'sign_in_again', 'freshness'],
    [{ essentialAcr: ['strong'] }, { acr: 'weak' }, 'insufficient_acr', 'acr'],
  ];
  for (const [requirements, more, code, because] of cases) {
    it(`may not approve (${code}), but may give up`, async () => {
      const ticket = demanding(requirements);
      const approver = approverWith(more);
      const approval = { approver, checkCode: false };
      expect((await refused((async () => transitions.approve(ticket, approval, moment))())).code).to.equal(code);
      expect(transitions.giveUp(ticket, approver, moment)).to.deep.include({ state: 'denied', because });
    });
  }

  it('may not give up if all requirements are met', async () => {
    const act = (async () => transitions.giveUp(scanned(), alice(), moment))();
    expect((await refused(act)).code).to.equal('invalid_request');
  });
});

describe('a ticket that the wrong account has scanned', () => {
  const wanted = demanding({ subject: 'bob-there' }, { approver: approverWith({ subject: 'alice-there' }) });
  const bob: Approver = {
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
    expect((await refused((async () => transitions.scan(wanted, carol, moment))())).code).to.equal('not_found');
  });

  it('is the only kind that can be taken over: neither a ticket of the right account nor a waiting one can', () => {
    expect(
      canTakeOver(demanding({ subject: 'bob-there' }, { approver: bob }), { ...bob, sessionUid: 'other' }),
    ).to.equal(false);
    expect(canTakeOver(waiting(), bob)).to.equal(false);
  });
});
