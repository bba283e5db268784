import { expect } from 'chai';
import { type Approver, ownerOf, type Ticket, type WaitingTicket } from '../../src/ticket/ticket.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import { alice, approved, at, browserOf, denied, NOW, redeemed, scanned, signInRequest, waiting } from './builders.ts';

/** Data that a newer build has written: in the ticket, and in values that every state has. */
const FUTURE = { future: { answer: 42 } };

function fromTheFuture<T extends Ticket>(ticket: T): T {
  return { ...ticket, ...FUTURE, browser: { ...ticket.browser, ...FUTURE }, request: { ...ticket.request, ...FUTURE } };
}

/** The browser of an action that no browser shows yet, and the browser that opens it. */
const NO_SCREEN = browserOf('');
const NEW_SCREEN = { ...browserOf('binding'), ...FUTURE };

const unmet = signInRequest({ requirements: { subject: 'bob' } });
const bob: Approver = { ...alice(), accountId: 'bob', sessionUid: 'session-of-bob', subject: 'bob' };
const moment = at(NOW);

const STEPS: Readonly<Record<Exclude<Transition, 'show' | 'requireDecidable'>, () => readonly (Ticket | undefined)[]>> =
  {
    putOnScreen: () => [transitions.putOnScreen(fromTheFuture(waiting({ browser: NO_SCREEN })), NEW_SCREEN, moment)],
    awaitSignIn: () => [transitions.awaitSignIn(fromTheFuture(waiting()), moment)],
    scan: () => [
      transitions.scan(fromTheFuture(waiting()), alice(), moment),
      transitions.scan(fromTheFuture(scanned({ request: unmet })), bob, moment),
    ],
    scanTyped: () => [transitions.scanTyped(fromTheFuture(waiting()), alice(), moment)],
    approve: () =>
      [true, false].map((checkCode) =>
        transitions.approve(fromTheFuture(scanned()), { approver: alice(), checkCode }, moment),
      ),
    deny: () => [transitions.deny(fromTheFuture(scanned()), alice(), moment)],
    report: () => [scanned(), approved()].map((one) => transitions.report(fromTheFuture(one), alice(), moment)),
    reportNext: () => [transitions.reportNext(fromTheFuture(waiting()) as WaitingTicket, alice(), moment)],
    forbid: () => [transitions.forbid(fromTheFuture(scanned()), alice(), moment)],
    block: () => [transitions.block(fromTheFuture(scanned()), alice(), moment)],
    giveUp: () => [transitions.giveUp(fromTheFuture(scanned({ request: unmet })), alice(), moment)],
    outdate: () => [transitions.outdate(fromTheFuture(approved()), moment)],
    redeem: () => [transitions.redeem(fromTheFuture(approved()), moment)],
    demandCheckCode: () => [transitions.demandCheckCode(fromTheFuture(approved({ knownBy: 'cookie' })), moment)],
    refuseCheckCode: () =>
      [0, transitions.MAX_WRONG_CHECK_CODES - 1].map((wrongTries) =>
        transitions.refuseCheckCode(fromTheFuture(approved({ checkCode: { wrongTries } })), moment),
      ),
    cancel: () =>
      [waiting(), scanned(), approved()].map((one) => transitions.cancel(fromTheFuture(one), 'browser', moment)),
    endReplaced: () =>
      [waiting(), scanned(), approved()].map((one) => transitions.endReplaced(fromTheFuture(one), moment)),
  };

type Transition = {
  [Name in keyof typeof transitions]: (typeof transitions)[Name] extends (...values: never[]) => Ticket | undefined
    ? Name
    : never;
}[keyof typeof transitions];

describe('fields of a ticket that a newer build has written', () => {
  for (const [name, step] of Object.entries(STEPS)) {
    it(`are kept unchanged by ${name}, in every state of the ticket`, () => {
      for (const ticket of step()) {
        expect(ticket, ticket?.state).to.deep.include(FUTURE);
        expect(ticket?.browser).to.deep.include(FUTURE);
        expect(ticket?.request).to.deep.include(FUTURE);
      }
    });
  }

  it('are also kept in `checkCode` when a wrong check code is refused', () => {
    const checkCode = { wrongTries: 1, ...FUTURE };
    const { checkCode: after } = transitions.refuseCheckCode(approved({ checkCode }), moment) as ReturnType<
      typeof approved
    >;
    expect(after).to.deep.equal({ ...checkCode, wrongTries: 2 });
  });

  it('are missing in the next ticket of the same interaction', () => {
    const { id, interaction, request, browser, endsAt } = waiting();
    const next = transitions.show({ id, interaction, request, browser, endsAt }, fromTheFuture(scanned()), moment);
    expect(next).to.not.have.property('future');
  });
});

describe('fields of a state', () => {
  const everything = { typed: true, checkCode: { wrongTries: 1 }, knownBy: 'key', remember: true } as const;
  const more = { changesAccount: true, because: 'person', approvedAt: NOW } as const;
  const fields = [...Object.keys(everything), ...Object.keys(more)];

  it('are dropped by a step to another state, even if an older build had kept them for too long', () => {
    const stray = { ...scanned(), ...everything, ...more, state: 'scanned' } as Ticket;
    const after = transitions.deny(stray, alice(), moment);
    expect(Object.keys(after).filter((name) => fields.includes(name))).to.deep.equal(['because']);
    expect(ownerOf(after)).to.deep.equal(alice());
  });

  it('are replaced by those of the new state', () => {
    const { approver, remember, approvedAt } = redeemed();
    const after = transitions.redeem({ ...approved(), ...everything, ...more, remember: false } as Ticket, moment);
    expect(after).to.deep.include({ approver, remember, approvedAt });
    expect(Object.keys(after).filter((name) => fields.includes(name))).to.have.members(['remember', 'approvedAt']);
    expect(denied()).to.have.property('because');
  });
});

describe('the format of a ticket', () => {
  it('is the format of this build when the ticket is shown, and stays the same in every step', () => {
    const { id, interaction, request, browser, endsAt } = waiting();
    const shown = transitions.show({ id, interaction, request, browser, endsAt }, undefined, moment);
    expect(shown.format).to.equal(1);
    const claimed = transitions.scan(shown, alice(), moment);
    const allowed = transitions.approve(claimed, { approver: alice(), checkCode: true }, moment);
    expect([claimed, allowed, transitions.redeem(allowed, moment)].map(({ format }) => format)).to.deep.equal([
      1, 1, 1,
    ]);
  });
});
