import { expect } from 'chai';
import { QrLoginError } from '../../src/ticket/errors.ts';
import { type Approver, stateAt, type Ticket, type TicketState } from '../../src/ticket/ticket.ts';
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
  NOW,
  redeemed,
  scanned,
  signInRequest,
  TICKET_ID,
  waiting,
} from '../ticket/builders.ts';
import { declaredNames, type Facts, holds, modelText, ROWS } from './table.ts';

type Act = Exclude<
  keyof typeof transitions,
  'assertOwner' | 'requireDecidable' | 'endedError' | 'MAX_WRONG_CHECK_CODES'
>;
type Step = (ticket: Ticket, approver: Approver, now: number) => Ticket | undefined;

/** Functions that are not transitions: they check the actor and the ticket, or make an error. */
const CHECKS = ['assertOwner', 'requireDecidable', 'endedError'];

/** The functions of src/ticket/transitions.ts that lead from one state of a ticket to another. */
const STEPS: Readonly<Record<Exclude<Act, 'show'>, Step>> = {
  putOnScreen: (ticket, _, now) => transitions.putOnScreen(ticket, browserOf('b'), at(now)),
  awaitSignIn: (ticket, _, now) => transitions.awaitSignIn(ticket, at(now)),
  scan: (ticket, approver, now) => transitions.scan(ticket, approver, at(now)),
  scanTyped: (ticket, approver, now) => transitions.scanTyped(ticket, approver, at(now)),
  approve: (ticket, approver, now) => transitions.approve(ticket, { approver, checkCode: true }, at(now)),
  deny: (ticket, approver, now) => transitions.deny(ticket, approver, at(now)),
  report: (ticket, approver, now) => transitions.report(ticket, approver, at(now)),
  // The type of `reportNext` allows only a waiting ticket.
  reportNext: (ticket, approver, now) =>
    ticket.state === 'waiting' ? transitions.reportNext(ticket, approver, at(now)) : undefined,
  forbid: (ticket, approver, now) => transitions.forbid(ticket, approver, at(now)),
  block: (ticket, approver, now) => transitions.block(ticket, approver, at(now)),
  giveUp: (ticket, approver, now) => transitions.giveUp(ticket, approver, at(now)),
  outdate: (ticket, _, now) => transitions.outdate(ticket, at(now)),
  redeem: (ticket, _, now) => transitions.redeem(ticket, at(now)),
  demandCheckCode: (ticket, _, now) => transitions.demandCheckCode(ticket, at(now)),
  refuseCheckCode: (ticket, _, now) => transitions.refuseCheckCode(ticket, at(now)),
  cancel: (ticket, _, now) => transitions.cancel(ticket, 'browser', at(now)),
  endReplaced: (ticket, _, now) => transitions.endReplaced(ticket, at(now)),
};

const STATES = {
  waiting: true,
  scanned: true,
  approved: true,
  denied: true,
  redeemed: true,
  cancelled: true,
  expired: true,
} satisfies Record<TicketState, true>;

interface Situation extends Facts {
  readonly name: string;
  readonly ticket: Ticket;
  readonly approver: Approver;
  readonly now: number;
}

/** An action that no browser shows yet. */
const NO_SCREEN = browserOf('');

const ALICE = alice({ subject: 'alice' });
const BOB: Approver = { ...bob(), subject: 'bob' };

/**
 * Every state, combined with the subject that the request demands, the account that acts, the number of wrong check
 * codes, and a time before or at the deadline. If a phone has scanned, it was that of Alice.
 */
const SITUATIONS: readonly Situation[] = [undefined, 'alice', 'bob'].flatMap((subject) =>
  [ALICE, BOB].flatMap((approver) => ticketsFor(subject).flatMap((ticket) => situationsOf(ticket, subject, approver))),
);

function ticketsFor(subject: string | undefined): Ticket[] {
  const request = signInRequest({ requirements: subject === undefined ? {} : { subject } });
  const owned = { request, approver: ALICE };
  return [
    waiting({ request }),
    waiting({ request, browser: NO_SCREEN }),
    scanned(owned),
    ...[0, transitions.MAX_WRONG_CHECK_CODES - 1].map((wrongTries) =>
      approved({ ...owned, checkCode: { wrongTries } }),
    ),
    denied(owned),
    redeemed(owned),
    cancelled({ request }),
    cancelled(owned),
  ];
}

function situationsOf(ticket: Ticket, subject: string | undefined, approver: Approver): Situation[] {
  const facts: Facts = {
    owner: ticket.state !== 'waiting' && ticket.approver !== undefined && approver === ALICE,
    meets: subject === undefined || subject === approver.subject,
    takesOver: subject === 'bob' && approver === BOB,
    offScreen: ticket.browser === NO_SCREEN,
    lastTry: ticket.state === 'approved' && ticket.checkCode?.wrongTries === transitions.MAX_WRONG_CHECK_CODES - 1,
  };
  return [NOW, DEADLINE].map((now) => {
    const name = `${stateAt(ticket, now)} (${ticket.state}), ${approver.accountId} acts, demands ${subject ?? 'no account'}`;
    return { ...facts, name, ticket, approver, now };
  });
}

/** Returns the state after a step, or undefined if the step is not allowed. */
function stateAfter(step: Step, { ticket, approver, now }: Situation): string | undefined {
  try {
    return step(ticket, approver, now)?.state;
  } catch (error) {
    if (error instanceof QrLoginError) return undefined;
    throw error;
  }
}

/** Returns the state after a step by the table of the model, or undefined if no row fits. */
function stateByTable(act: string, situation: Situation): string | undefined {
  const before = stateAt(situation.ticket, situation.now);
  const fitting = ROWS.filter((row) => row.act === act && row.before === before && holds(row.condition, situation));
  expect(fitting.length, `${act}: ${situation.name}`).to.be.at.most(1);
  return fitting[0]?.after;
}

describe('the table of transitions in docs/model', () => {
  it('has the states of a ticket', () => {
    expect(declaredNames('state')).to.have.members(['none', ...Object.keys(STATES)]);
  });

  it('has an act for each function of src/ticket/transitions.ts, and the passing of a deadline', () => {
    const exported = Object.entries(transitions).flatMap(([name, value]) =>
      typeof value === 'function' ? [name] : [],
    );
    const acts = exported.filter((name) => !CHECKS.includes(name));
    expect(declaredNames('act')).to.have.members([...acts, 'expire']);
    expect(['show', ...Object.keys(STEPS)]).to.have.members(acts);
    expect([...new Set(ROWS.map(({ act }) => act))]).to.have.members([...acts, 'expire']);
  });

  for (const [act, step] of Object.entries(STEPS)) {
    it(`allows and refuses the same as the function, in every state, and leads to the same state: ${act}`, () => {
      for (const situation of SITUATIONS) {
        expect(stateByTable(act, situation), situation.name).to.equal(stateAfter(step, situation));
      }
    });
  }

  it('begins with a waiting ticket', () => {
    const fixed = {
      id: TICKET_ID,
      interaction: 'i',
      request: signInRequest(),
      browser: browserOf('b'),
      endsAt: ENDS_AT,
    };
    const { state } = transitions.show(fixed, undefined, at(NOW));
    expect(ROWS.filter(({ act }) => act === 'show')).to.deep.equal([
      { act: 'show', before: 'none', after: state, condition: 'true' },
    ]);
  });

  it('lets the same tickets expire as src/ticket', () => {
    const expiring = ticketsFor(undefined).filter((ticket) => stateAt(ticket, DEADLINE) === 'expired');
    const rows = ROWS.filter(({ act }) => act === 'expire');
    expect(rows.map(({ before }) => before)).to.have.members([...new Set(expiring.map(({ state }) => state))]);
    expect(rows.every(({ after, condition }) => after === 'expired' && condition === 'true')).to.equal(true);
  });

  it('allows as many wrong check codes as src/ticket/transitions.ts', () => {
    const [, tries] = /^#define lastTry \(seenTries == (\d)\)$/m.exec(modelText('sign-in.pml')) ?? [];
    expect(Number(tries)).to.equal(transitions.MAX_WRONG_CHECK_CODES - 1);
  });
});
