import { expect } from 'chai';
import { QrLoginError } from '../../src/ticket/errors.ts';
import type { Ticket } from '../../src/ticket/ticket.ts';
import type { Moment } from '../../src/ticket/transitions.ts';
import * as transitions from '../../src/ticket/transitions.ts';
import { alice, approved, at, bob, cancelled, DEADLINE, denied, NOW, redeemed, scanned, waiting } from './builders.ts';

const tickets = {
  'a waiting ticket': waiting(),
  'a scanned ticket': scanned(),
  'an approved ticket': approved(),
  'an approved ticket with a check code': approved({ checkCode: { wrongTries: 0 } }),
  'an approved ticket with one try left': approved({ checkCode: { wrongTries: 2 } }),
  'a denied ticket': denied(),
  'a redeemed ticket': redeemed(),
  'a ticket cancelled before a scan': cancelled(),
  'a ticket cancelled after a scan': cancelled({ approver: alice() }),
} satisfies Record<string, Ticket>;
type Name = keyof typeof tickets;

const elsewhere = alice({ sessionUid: 'another session of alice' });
const namesake = alice({ accountId: 'mallory' });

/** `forbid` is a denial by the assessment, and `block` is a denial because of an earlier report by the account. */
const acts = {
  scan: (ticket: Ticket, moment: Moment) => transitions.scan(ticket, alice(), moment),
  'type the short code': (ticket: Ticket, moment: Moment) => transitions.scanTyped(ticket, alice(), moment),
  'scan by Bob': (ticket: Ticket, moment: Moment) => transitions.scan(ticket, bob(), moment),
  'scan from another session': (ticket: Ticket, moment: Moment) => transitions.scan(ticket, elsewhere, moment),
  approve: (ticket: Ticket, moment: Moment) =>
    transitions.approve(ticket, { approver: alice(), checkCode: false }, moment),
  'approve with a check code': (ticket: Ticket, moment: Moment) =>
    transitions.approve(ticket, { approver: alice(), checkCode: true }, moment),
  'approve by Bob': (ticket: Ticket, moment: Moment) =>
    transitions.approve(ticket, { approver: bob(), checkCode: false }, moment),
  'approve from another session': (ticket: Ticket, moment: Moment) =>
    transitions.approve(ticket, { approver: elsewhere, checkCode: false }, moment),
  'approve by another account in the same session': (ticket: Ticket, moment: Moment) =>
    transitions.approve(ticket, { approver: namesake, checkCode: false }, moment),
  deny: (ticket: Ticket, moment: Moment) => transitions.deny(ticket, alice(), moment),
  'deny by Bob': (ticket: Ticket, moment: Moment) => transitions.deny(ticket, bob(), moment),
  report: (ticket: Ticket, moment: Moment) => transitions.report(ticket, alice(), moment),
  'report by Bob': (ticket: Ticket, moment: Moment) => transitions.report(ticket, bob(), moment),
  'forbid what Alice does': (ticket: Ticket, moment: Moment) => transitions.forbid(ticket, alice(), moment),
  'block what Alice does': (ticket: Ticket, moment: Moment) => transitions.block(ticket, alice(), moment),
  'forbid what Bob does': (ticket: Ticket, moment: Moment) => transitions.forbid(ticket, bob(), moment),
  redeem: (ticket: Ticket, moment: Moment) => transitions.redeem(ticket, moment),
  'refuse a check code': (ticket: Ticket, moment: Moment) => transitions.refuseCheckCode(ticket, moment),
  cancel: (ticket: Ticket, moment: Moment) => transitions.cancel(ticket, 'browser', moment),
} satisfies Record<string, (ticket: Ticket, moment: Moment) => Ticket>;
type Act = keyof typeof acts;

/** The answers to approvers who do not own the ticket, in any state. */
const strangers = {
  'scan by Bob': 'not_found',
  'scan from another session': 'not_found',
  'approve by Bob': 'not_found',
  'approve from another session': 'not_found',
  'approve by another account in the same session': 'not_found',
  'deny by Bob': 'not_found',
  'report by Bob': 'not_found',
  'forbid what Bob does': 'not_found',
} as const;

/** The answers to another session of the account that has scanned. They say that another device has scanned. */
const sameAccount = {
  'scan from another session': 'wrong_state',
  'approve from another session': 'wrong_state',
} as const;

/** The answers for a ticket that was not scanned. It is unknown to every phone. */
const ownerless = {
  ...strangers,
  scan: 'not_found',
  'type the short code': 'not_found',
  approve: 'not_found',
  'approve with a check code': 'not_found',
  deny: 'not_found',
  report: 'not_found',
  'forbid what Alice does': 'not_found',
  'block what Alice does': 'not_found',
} as const;

const endedForTheBrowser = { redeem: 'over', 'refuse a check code': 'over', cancel: 'over' } as const;
const endedForAll = {
  ...strangers,
  ...endedForTheBrowser,
  scan: 'over',
  'type the short code': 'over',
  approve: 'over',
  'approve with a check code': 'over',
  deny: 'over',
  report: 'over',
  'forbid what Alice does': 'over',
  'block what Alice does': 'over',
  'scan from another session': 'over',
  'approve from another session': 'over',
} as const;
/**
 * The answers for a decided ticket. Its approver may still look at it, so a second decision gets `wrong_state`, not
 * `over`.
 */
const decided = {
  ...endedForAll,
  approve: 'wrong_state',
  'approve with a check code': 'wrong_state',
  deny: 'wrong_state',
  report: 'wrong_state',
  'forbid what Alice does': 'wrong_state',
  'block what Alice does': 'wrong_state',
} as const;
const approvedLive = {
  ...strangers,
  ...sameAccount,
  scan: 'wrong_state',
  'type the short code': 'wrong_state',
  approve: 'wrong_state',
  'approve with a check code': 'wrong_state',
  deny: 'wrong_state',
  report: 'denied',
  'forbid what Alice does': 'wrong_state',
  'block what Alice does': 'wrong_state',
  redeem: 'redeemed',
  'refuse a check code': 'approved',
  cancel: 'cancelled',
} as const;

type Row = Record<Act, Ticket['state'] | QrLoginError['code']>;

const live: Record<Name, Row> = {
  'a waiting ticket': {
    ...ownerless,
    scan: 'scanned',
    'type the short code': 'scanned',
    'scan by Bob': 'scanned',
    'scan from another session': 'scanned',
    redeem: 'wrong_state',
    'refuse a check code': 'wrong_state',
    cancel: 'cancelled',
  },
  'a scanned ticket': {
    ...strangers,
    ...sameAccount,
    scan: 'wrong_state',
    'type the short code': 'wrong_state',
    approve: 'approved',
    'approve with a check code': 'approved',
    deny: 'denied',
    report: 'denied',
    'forbid what Alice does': 'denied',
    'block what Alice does': 'denied',
    redeem: 'wrong_state',
    'refuse a check code': 'wrong_state',
    cancel: 'cancelled',
  },
  'an approved ticket': approvedLive,
  'an approved ticket with a check code': approvedLive,
  'an approved ticket with one try left': { ...approvedLive, 'refuse a check code': 'cancelled' },
  'a denied ticket': decided,
  'a redeemed ticket': decided,
  'a ticket cancelled before a scan': { ...ownerless, ...endedForTheBrowser },
  'a ticket cancelled after a scan': endedForAll,
};

const late: Record<Name, Row> = {
  'a waiting ticket': { ...ownerless, ...endedForTheBrowser },
  'a scanned ticket': endedForAll,
  'an approved ticket': endedForAll,
  'an approved ticket with a check code': endedForAll,
  'an approved ticket with one try left': endedForAll,
  'a denied ticket': decided,
  'a redeemed ticket': decided,
  'a ticket cancelled before a scan': { ...ownerless, ...endedForTheBrowser },
  'a ticket cancelled after a scan': endedForAll,
};

/** Returns the state to which an act leads, or the code of the refusal. */
function attempt(act: Act, ticket: Ticket, now: number): string {
  try {
    return acts[act](ticket, at(now)).state;
  } catch (error) {
    if (error instanceof QrLoginError) return error.code;
    throw error;
  }
}

describe('an act on', () => {
  for (const name of Object.keys(tickets) as Name[]) {
    for (const act of Object.keys(acts) as Act[]) {
      it(`${name} (${act}) results in ${live[name][act]}, and after the deadline in ${late[name][act]}`, () => {
        const ticket = tickets[name];
        const before = structuredClone(ticket);
        expect(attempt(act, ticket, NOW)).to.equal(live[name][act]);
        expect(attempt(act, ticket, DEADLINE - 1), 'in its last millisecond').to.equal(live[name][act]);
        expect(attempt(act, ticket, DEADLINE), 'at its deadline').to.equal(late[name][act]);
        expect(attempt(act, ticket, DEADLINE + 1_000_000), 'long after').to.equal(late[name][act]);
        expect(ticket, 'the ticket that it started from').to.deep.equal(before);
      });
    }
  }
});
