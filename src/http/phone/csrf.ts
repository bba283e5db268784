import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import { type Keys, matches } from '../../ticket/keys.ts';
import type { Approver } from '../../ticket/ticket.ts';
import { fieldsOf } from '../request/body.ts';

/** What a form is made for: a session, and one ticket or one page. */
export interface FormUse {
  readonly approver: Approver;
  /** The ticket's id, or the name of a page. */
  readonly of: string;
}

/** A form made for one use is worth nothing for another. */
export function csrfFor(keys: Keys, { approver, of }: FormUse): string {
  return keys.mac('csrf', approver.sessionUid, of).toString('base64url');
}

/** @throws QrLoginError `invalid_csrf` */
export function checkCsrf(ctx: Context, keys: Keys, { approver, of }: FormUse): void {
  const good = keys.candidates('csrf', approver.sessionUid, of).map((mac) => mac.toString('base64url'));
  if (matches(good, fieldsOf(ctx).csrf ?? '')) return;
  throw new QrLoginError('invalid_csrf', 'This form is out of date. Load the page again.');
}
