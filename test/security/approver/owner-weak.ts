/** Servers that reveal that a ticket belongs to another account, or that compare the account but not the session. */
import { notFound, QrLoginError } from '../../../src/ticket/errors.ts';
import { PhoneActs } from '../../../src/ticket/phone.ts';
import { type Approver, ownerOf, type Ticket } from '../../../src/ticket/ticket.ts';
import { replacing } from '../attack.ts';

export const tellingAtALook: () => () => void = replacing(
  PhoneActs.prototype,
  'look',
  (look) =>
    function (this: PhoneActs, id, approver, seen) {
      return telling(look.call(this, id, approver, seen), seen);
    },
);

export const tellingAtAFollow: () => () => void = replacing(
  PhoneActs.prototype,
  'assertOwned',
  (assertOwned) =>
    function (this: PhoneActs, ticket, approver) {
      const owner = ticket && ownerOf(ticket);
      if (owner !== undefined && owner.accountId !== approver.accountId) {
        throw new QrLoginError('wrong_account', 'Another account has scanned this.');
      }
      return assertOwned.call(this, ticket, approver);
    },
);

export const tellingAtAScan: () => () => void = replacing(
  PhoneActs.prototype,
  'scan',
  (scan) =>
    function (this: PhoneActs, id, approver, scanning) {
      return telling(scan.call(this, id, approver, scanning), scanning?.known?.ticket);
    },
);

export const tellingAtAnApproval: () => () => void = replacing(
  PhoneActs.prototype,
  'approve',
  (approve) =>
    function (this: PhoneActs, id, approval, seen) {
      return telling(approve.call(this, id, approval, seen), seen?.ticket);
    },
);

export const tellingAtADenial: () => () => void = replacing(
  PhoneActs.prototype,
  'deny',
  (deny) =>
    function (this: PhoneActs, id, approver, seen) {
      return telling(deny.call(this, id, approver, seen), seen);
    },
);

export const tellingAtAReport: () => () => void = replacing(
  PhoneActs.prototype,
  'report',
  (report) =>
    function (this: PhoneActs, id, approver, seen) {
      return telling(report.call(this, id, approver, seen), seen);
    },
);

/** A server that compares only the account: each session of alice owns a ticket that one of them has scanned. */
export const accountAloneAtALook: () => () => void = replacing(
  PhoneActs.prototype,
  'look',
  (look) =>
    function (this: PhoneActs, id, approver, seen) {
      return look.call(this, id, ownerIfSameAccount(seen, approver), seen);
    },
);

export const accountAloneAtAnApproval: () => () => void = replacing(
  PhoneActs.prototype,
  'approve',
  (approve) =>
    function (this: PhoneActs, id, approval, seen) {
      return approve.call(
        this,
        id,
        { ...approval, approver: ownerIfSameAccount(seen?.ticket, approval.approver) },
        seen,
      );
    },
);

function ownerIfSameAccount(seen: Ticket | undefined, approver: Approver): Approver {
  const owner = seen && ownerOf(seen);
  return owner?.accountId === approver.accountId ? owner : approver;
}

async function telling<T>(found: Promise<T>, seen: Ticket | undefined): Promise<T> {
  try {
    return await found;
  } catch (error) {
    const isForeign = error instanceof QrLoginError && error.code === notFound().code && seen && ownerOf(seen);
    throw isForeign ? new QrLoginError('wrong_account', 'Another account has scanned this.') : error;
  }
}
