/** Rules that every write must follow. They do not depend on the model. */
import { expect } from 'chai';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { type Act, APPROVERS } from './acts.ts';
import type { Scene } from './scene.ts';
import type { Write } from './stores.ts';

/** The states that may follow each state. A scanned ticket may be scanned again by the demanded account. */
const PATHS: Readonly<Record<Ticket['state'], readonly Ticket['state'][]>> = {
  waiting: ['scanned', 'denied', 'cancelled'],
  scanned: ['scanned', 'approved', 'denied', 'cancelled'],
  approved: ['approved', 'redeemed', 'cancelled', 'denied'],
  denied: [],
  redeemed: [],
  cancelled: [],
};

const LIVE: readonly Ticket['state'][] = ['waiting', 'scanned', 'approved'];

export function expectRules(scene: Scene): void {
  const last = new Map<string, Ticket>();
  const versions = new Map<string, number>();
  const redeemed = new Set<string>();
  for (const write of inOrder(scene.writes)) {
    const { next, ended, now } = write;
    const before = last.get(next.id);
    expectGrowth(scene, next, versions);
    if (before === undefined) expect(next.state, 'a new ticket waits').to.equal('waiting');
    else expectStep(before, next);
    if (before !== undefined) expectRight(write, before, next);
    if (ended !== undefined) {
      const old = last.get(ended.id);
      if (old !== undefined) expectStep(old, ended);
      last.set(ended.id, ended);
    }
    if (next.state === 'redeemed') {
      expect(redeemed.has(next.id), 'a ticket is redeemed once').to.equal(false);
      redeemed.add(next.id);
    }
    last.set(next.id, next);
    const live = [...last.values()].filter(
      (ticket) => ticket.interaction === next.interaction && LIVE.includes(ticket.state) && now < ticket.deadline,
    );
    expect(live.length, 'an interaction has one live ticket at most').to.be.at.most(1);
  }
  expectHeard(scene);
}

/** Sorts writes by version, because two processes may learn in another order that their writes have succeeded. */
function inOrder(writes: readonly Write[]): readonly Write[] {
  if (writes.some(({ next }, index) => index > 0 && next.version === 1 && (writes[index - 1]?.next.version ?? 0) > 1)) {
    return writes;
  }
  return [...writes].sort((one, other) => one.next.version - other.next.version);
}

function expectGrowth({ setup }: Scene, { interaction, version }: Ticket, versions: Map<string, number>): void {
  const isFirst = version === 1 && (setup.forgets || !versions.has(interaction));
  expect(isFirst || version > (versions.get(interaction) ?? 0), 'versions only grow').to.equal(true);
  versions.set(interaction, version);
}

function expectStep(before: Ticket, after: Ticket): void {
  expect(PATHS[before.state], `what follows ${before.state}`).to.include(after.state);
  expect(after.version, 'the version').to.be.greaterThan(before.version);
  for (const fixed of ['interaction', 'request', 'browser', 'shownAt', 'endsAt'] as const) {
    expect(after[fixed], fixed).to.deep.equal(before[fixed]);
  }
  expect(after.deadline, 'no deadline lies behind the interaction’s').to.be.at.most(after.endsAt);
  if (after.state === before.state && after.state !== 'waiting') {
    expect(after.deadline, 'a deadline never moves while its state lasts').to.equal(before.deadline);
  }
}

/** Expects that the actor of this write was allowed to make it. */
function expectRight({ act }: Write, before: Ticket, after: Ticket): void {
  if (after.state === 'approved' && before.state === 'approved') {
    expect(after.approver).to.deep.equal(before.approver);
    expect((after.checkCode?.wrongTries ?? 0) - (before.checkCode?.wrongTries ?? 0), 'wrong tries').to.equal(1);
  } else if (act?.do === 'scan' && after.state === 'denied') {
    // Check the session that scans, even if it takes the ticket over from an account that the request does not demand.
    expect(after.because, 'the reason of an end by a scan').to.be.oneOf(['risk', 'blocked']);
    expect(sessionOf(after), 'the judged session').to.equal(actorOf(act));
  } else if (act?.do === 'report' && after.state === 'denied') {
    // A report also ends an unscanned ticket, if the ticket has replaced one that this phone has scanned.
    expect(after.because, 'the reason of an end by a report').to.equal('report');
    if (before.state !== 'waiting') expect(actorOf(act), 'the reporting session').to.equal(sessionOf(before));
  } else if (act?.do === 'finish' && after.state === 'denied') {
    // The phone's sign-in has become too old for the request since it approved.
    expect([before.state, after.because], 'an end by the browser').to.deep.equal(['approved', 'freshness']);
  } else if (after.state === 'approved' || after.state === 'denied') {
    expect(before.state, 'the state before a decision').to.equal('scanned');
    expect(actorOf(act), 'the deciding session').to.equal(sessionOf(before));
  }
  if (after.state === 'redeemed') expectRedeemable(act, before, after);
}

function sessionOf(ticket: Ticket): string {
  const owner = 'approver' in ticket ? ticket.approver : undefined;
  return `${owner?.accountId} ${owner?.sessionUid}`;
}

function expectRedeemable(act: Act | undefined, before: Ticket, after: Ticket): void {
  expect(before.state, 'the state before the end').to.equal('approved');
  expect(act?.do, 'the act that redeems').to.equal('finish');
  if (act?.do !== 'finish' || before.state !== 'approved' || after.state !== 'redeemed') return;
  expect(`browser ${act.browser}`, 'the browser').to.equal(before.browser.binding);
  expect(after.approver, 'the approver').to.deep.equal(before.approver);
  if (before.checkCode !== undefined) expect(act.types, 'the check code').to.equal('right');
  expect(act.isDisabled, 'a disabled account').to.equal(false);
  const isAnother = act.signedIn !== undefined && act.signedIn !== before.approver.accountId;
  if (isAnother) expect(act.agrees, 'the agreement to replace the account').to.equal(true);
}

function actorOf(act: Act | undefined): string {
  const person = act !== undefined && 'ticket' in act ? APPROVERS[act.phone] : undefined;
  return `${person?.accountId} ${person?.sessionUid}`;
}

function expectHeard({ heard, writes }: Scene): void {
  const key = ({ id, version, state }: Ticket): string => `${id} ${version} ${state}`;
  const written = inOrder(writes).map(({ next }) => next);
  for (const ears of heard) {
    const mine = written.filter(({ interaction }) => interaction === ears[0]?.interaction);
    expect(ears.map(key), 'the watchers hear each change, in order').to.deep.equal(mine.map(key));
  }
  expect(heard.flat(), 'the watchers hear each change').to.have.length(writes.length);
}
