import { QrLoginError } from '../../ticket/errors.ts';
import { matches, type SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import type { PhoneForm } from './phone-request.ts';

/** The use that a form is made for: a session, and one ticket or one page. */
export interface FormUse {
  readonly approver: SessionApprover;
  /** The ticket's id, or the name of a page. */
  readonly target: string;
}

/** The target of the forms about the browsers of an account. */
export const DEVICES = 'devices';

/** Returns the token of a form. It is valid for this use only. */
export function makeCsrfToken(keys: SecretKeys, { approver, target }: FormUse): string {
  return keys.mac('csrf', approver.sessionUid, target).toString('base64url');
}

/** Ensures that the form has the token of this use, by any of the keys. @throws QrLoginError `invalid_csrf` */
export function checkCsrfToken({ fields }: PhoneForm, keys: SecretKeys, { approver, target }: FormUse): void {
  const tokens = keys.candidates('csrf', approver.sessionUid, target).map((mac) => mac.toString('base64url'));
  if (matches(tokens, fields.csrf ?? '')) return;
  throw new QrLoginError('invalid_csrf', 'This form is out of date. Load the page again.');
}
