import { expect } from 'chai';
import { isDuringRequest, isHeldInVain, unmetBy } from '../../src/ticket/requirements.ts';
import type { Approver, Requirements, ScannedTicket } from '../../src/ticket/ticket.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import { alice, LIFETIMES, NOW, refused, scanned, signInRequest, waiting } from './builders.ts';

const SECOND = 1000;
const NOW_S = NOW / SECOND;
const moment = { now: NOW, lifetimes: LIFETIMES };

function demanding(requirements: Requirements, more: Partial<ScannedTicket> = {}): ScannedTicket {
  return scanned({ request: { ...signInRequest(), requirements }, ...more });
}

function person(more: Partial<Approver>): Approver {
  return { ...alice(), ...more };
}

describe('what a request demands of the approver', () => {
  const rows: [string, Requirements, Partial<Approver>, ReturnType<typeof unmetBy>][] = [
    ['nothing: anybody will do', {}, {}, undefined],
    ['a fresh sign-in: an older one will not do', { authenticatedSince: 500 }, { authenticatedAt: 499 }, 'freshness'],
    ['a fresh sign-in: one of that very second will', { authenticatedSince: 500 }, { authenticatedAt: 500 }, undefined],
    ['an age: as old as that will do', { maxAge: 60 }, { authenticatedAt: NOW_S - 60 }, undefined],
    ['an age: older will not', { maxAge: 60 }, { authenticatedAt: NOW_S - 61 }, 'freshness'],
    [
      'an age of one second: a sign-in since the code was shown will do',
      { maxAge: 1 },
      { authenticatedAt: NOW_S - 9 },
      undefined,
    ],
    ['a class: one of those named will do', { essentialAcr: ['a', 'b'] }, { acr: 'b' }, undefined],
    ['a class: another will not', { essentialAcr: ['a', 'b'] }, { acr: 'c' }, 'acr'],
    ['a class that is only wished for: any will do', { acrValues: ['a'] }, { acr: 'c' }, undefined],
    ['somebody: they will do', { subject: 'alice-there' }, { subject: 'alice-there' }, undefined],
    ['somebody: somebody else will not', { subject: 'bob-there' }, { subject: 'alice-there' }, 'account'],
    ['somebody before all: a wrong account is told first', { subject: 'x', essentialAcr: ['a'] }, {}, 'account'],
  ];
  for (const [name, requirements, approver, unmet] of rows) {
    it(name, () => {
      expect(unmetBy(demanding(requirements), person(approver), NOW)).to.equal(unmet);
    });
  }

  it('a class: an approver without any is not of it', () => {
    const { acr: _none, ...classless } = alice();
    expect(unmetBy(demanding({ essentialAcr: ['a'] }), classless, NOW)).to.equal('acr');
  });

  it('asks for nothing again that was just done', () => {
    const ticket = scanned({ shownAt: NOW });
    expect(isDuringRequest(ticket, person({ authenticatedAt: NOW_S }))).to.equal(true);
    expect(isDuringRequest(ticket, person({ authenticatedAt: NOW_S - 1 }))).to.equal(false);
  });
});

describe('an approver who does not meet it', () => {
  const cases: [Requirements, Partial<Approver>, string, string][] = [
    [{ subject: 'bob-there' }, { subject: 'alice-there' }, 'wrong_account', 'account'],
    [{ authenticatedSince: NOW_S + 1 }, {}, 'sign_in_again', 'freshness'],
    [{ essentialAcr: ['strong'] }, { acr: 'weak' }, 'insufficient_acr', 'acr'],
  ];
  for (const [requirements, more, code, because] of cases) {
    it(`may not approve (${code}), but may say that it cannot be met`, async () => {
      const ticket = demanding(requirements);
      const approver = person(more);
      const approval = { approver, checkCode: false };
      expect((await refused((async () => transitions.approve(ticket, approval, moment))())).code).to.equal(code);
      expect(transitions.giveUp(ticket, approver, moment)).to.deep.include({ state: 'denied', because });
    });
  }

  it('has nothing to give up where nothing stands in the way', async () => {
    const act = (async () => transitions.giveUp(scanned(), alice(), moment))();
    expect((await refused(act)).code).to.equal('invalid_request');
  });
});

describe('a ticket that the wrong account has claimed', () => {
  const wanted = demanding({ subject: 'bob-there' }, { approver: person({ subject: 'alice-there' }) });
  const bob: Approver = {
    accountId: 'bob',
    sessionUid: 'session-of-bob',
    authenticatedAt: NOW_S,
    subject: 'bob-there',
  };

  it('goes over to the right one, in the time that is left', () => {
    expect(isHeldInVain(wanted, bob)).to.equal(true);
    expect(transitions.scan(wanted, bob, moment)).to.deep.equal({
      ...wanted,
      version: wanted.version + 1,
      since: moment.now,
      approver: bob,
    });
  });

  it('stays with it where a third one comes', async () => {
    const carol = { ...bob, accountId: 'carol', subject: 'carol-there' };
    expect((await refused((async () => transitions.scan(wanted, carol, moment))())).code).to.equal('not_found');
  });

  it('is nothing that a ticket of the right account, or of nobody, could be', () => {
    expect(
      isHeldInVain(demanding({ subject: 'bob-there' }, { approver: bob }), { ...bob, sessionUid: 'other' }),
    ).to.equal(false);
    expect(isHeldInVain(waiting(), bob)).to.equal(false);
  });
});
