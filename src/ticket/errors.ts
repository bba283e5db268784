/**
 * Every way in which a step of a QR sign-in can be refused. `http/errors.ts` maps each to one status and one page.
 *
 * - `invalid_request`: the input has the wrong form.
 * - `not_signed_in`: the phone has no session at the provider.
 * - `account_unavailable`: the account of the phone's session may not sign in (any more).
 * - `sign_in_again`: the request demands a sign-in that is younger than the phone's session.
 * - `insufficient_acr`: the request demands an authentication context class that the phone's session is not of.
 * - `wrong_account`: the request can only be approved with another account.
 * - `account_switch`: the browser is signed in with another account, which the person there must agree to give up.
 * - `foreign_origin`: the request was sent by another site's page.
 * - `invalid_csrf`: the form does not belong to this session and ticket.
 * - `check_code_required`, `wrong_check_code`: what the browser typed (or did not) of the phone's six digits.
 * - `no_interaction`: the browser has no pending authorization request at this URL (any more).
 * - `not_found`: unknown, somebody else's, or past its time; these are never told apart.
 * - `wrong_state`: the ticket is alive, but this is not its next step.
 * - `over`: the ticket has ended, said only to the browser and the phone that owned it.
 * - `proof_required`, `wrong_proof`: what must be shown beside the tap on Approve, or instead of the phone: a passkey.
 * - `too_many_requests`: the same was done too often, from there or with this account.
 * - `too_large`, `unsupported_media_type`: the request's body.
 * - `store_unavailable`: the store did not answer, or did not write.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'not_signed_in'
  | 'account_unavailable'
  | 'sign_in_again'
  | 'insufficient_acr'
  | 'wrong_account'
  | 'account_switch'
  | 'foreign_origin'
  | 'invalid_csrf'
  | 'check_code_required'
  | 'wrong_check_code'
  | 'no_interaction'
  | 'not_found'
  | 'wrong_state'
  | 'over'
  | 'proof_required'
  | 'wrong_proof'
  | 'too_many_requests'
  | 'too_large'
  | 'unsupported_media_type'
  | 'store_unavailable';

/** The one error of this package; `code` is stable, `message` is a sentence for people. */
export class QrLoginError extends Error {
  override readonly name = 'QrLoginError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The one answer for unknown, foreign and expired tickets, so that nobody learns which of them it was. */
export function notFound(): QrLoginError {
  return new QrLoginError('not_found', 'There is no such sign-in, or it has expired. Scan the code again.');
}

/** Said only to the browser and the phone that the ticket belonged to. */
export function over(): QrLoginError {
  return new QrLoginError('over', 'This sign-in is over. Show a new code and start again.');
}
