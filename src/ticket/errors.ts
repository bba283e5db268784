/**
 * The reasons for which a step of a QR sign-in can be refused. `http/errors.ts` maps each to one status.
 *
 * - `invalid_request`: the input has the wrong form.
 * - `not_signed_in`: the phone has no session at the provider.
 * - `account_unavailable`: the account of the phone's session may not sign in (any more).
 * - `sign_in_again`: the request demands a more recent sign-in than that of the phone's session.
 * - `insufficient_acr`: the request demands an authentication context class that the phone's session does not have.
 * - `wrong_account`: the request can only be approved with another account.
 * - `not_enrolled`: the account may be used only in browsers that it has enrolled, and the browser is none of them, or
 *   has not shown that it has its key.
 * - `account_switch`: the browser is signed in with another account, and the user has not agreed to sign that out.
 * - `foreign_origin`: the request was sent by another site's page.
 * - `invalid_csrf`: the form does not belong to this session and ticket.
 * - `check_code_required`, `wrong_check_code`: the user typed no check code at the browser, or not the digits that the
 *   phone shows.
 * - `no_interaction`: the browser has no pending authorization request at this URL (any more).
 * - `method_not_allowed`: the URL does not have this method.
 * - `not_found`: the ticket is unknown, belongs to another browser or approver, or has expired. The answer never tells
 *   which of these it is.
 * - `wrong_state`: the ticket's state does not allow this step.
 * - `over`: the ticket has ended. Only the browser and the phone that owned it get this answer.
 * - `proof_required`, `wrong_proof`: the passkey assertion that is required in addition to Approve, or instead of the
 *   phone, is missing or wrong.
 * - `too_many_requests`: a rate limit of the network address or of the account is exceeded.
 * - `too_large`, `unsupported_media_type`: the request's body is too large, or of an unsupported type.
 * - `store_unavailable`: the store did not answer, or did not write.
 * - `hook_timeout`: a function of the deployment took longer than it may.
 * - `server_error`: a function of the deployment threw or returned a wrong value, or there is another fault.
 * - `invalid_token`, `insufficient_scope`: the access token of an app is missing or not valid (RFC 6750, section 3.1),
 *   or it was not granted for approving sign-ins.
 * - `invalid_dpop_proof`, `use_dpop_nonce`: the proof that an app holds the key of its token is missing or wrong, or it
 *   lacks the server's present nonce (RFC 9449, sections 7.1 and 9).
 * - `insufficient_user_authentication`: the request demands a more recent or stronger sign-in than that of the app's
 *   token (RFC 9470, section 3).
 * - `app_refused`: the deployment does not let this app approve sign-ins.
 * - `newer_record`: the store has a record in a format of a newer build, which runs on another node. A retry may reach
 *   that node.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'not_signed_in'
  | 'account_unavailable'
  | 'sign_in_again'
  | 'insufficient_acr'
  | 'wrong_account'
  | 'not_enrolled'
  | 'account_switch'
  | 'foreign_origin'
  | 'invalid_csrf'
  | 'check_code_required'
  | 'wrong_check_code'
  | 'no_interaction'
  | 'not_found'
  | 'method_not_allowed'
  | 'wrong_state'
  | 'over'
  | 'proof_required'
  | 'wrong_proof'
  | 'too_many_requests'
  | 'too_large'
  | 'unsupported_media_type'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication'
  | 'app_refused'
  | 'store_unavailable'
  | 'newer_record'
  | 'hook_timeout'
  | 'server_error';

/**
 * The cause of an error, if its code has several. Only a caller that may know the cause gets it:
 *
 * - of `over`: the time is up (`expired`), the browser shows a new code (`renewed`), the browser has cancelled
 *   (`cancelled`), or the check code was wrong too often (`check-code`). Absent if the ticket was decided.
 * - of `wrong_state`: the same account has scanned the code in another session (`elsewhere`), or the phone that asks
 *   has decided otherwise before: the ticket is `approved`, `denied`, or `redeemed`, which means that the browser is
 *   signed in.
 * - of `wrong_check_code`: it was the last try (`last-try`).
 * - of `no_interaction`: the browser accepts no cookies (`no-cookies`), or it is signed in to the app (`signed-in`).
 * - of `account_unavailable`: the phone that approved, or all browsers, were signed out since (`signed-out`).
 * - of `too_many_requests`: too many check codes of the account were wrong in a row (`check-codes`).
 * - of `invalid_request`: oidc-provider refused the request of an app (`app`).
 * - of `not_found`: there is no such action, or another browser shows it (`action`).
 */
export type ErrorReason =
  | 'expired'
  | 'renewed'
  | 'cancelled'
  | 'check-code'
  | 'elsewhere'
  | 'approved'
  | 'denied'
  | 'redeemed'
  | 'last-try'
  | 'no-cookies'
  | 'signed-in'
  | 'signed-out'
  | 'check-codes'
  | 'app'
  | 'action';

interface QrLoginErrorOptions extends ErrorOptions {
  readonly reason?: ErrorReason | undefined;
}

/**
 * The only error class of this package. `code` is stable. `message` is for programs and logs: pages show the text
 * `error.<code>` of the locales, or `error.<code>.<reason>` if there is a reason.
 */
export class QrLoginError extends Error {
  override readonly name = 'QrLoginError';
  readonly code: ErrorCode;
  readonly reason: ErrorReason | undefined;

  constructor(code: ErrorCode, message: string, { reason, ...options }: QrLoginErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Returns the error if it is a QrLoginError, otherwise its cause if that is one: errors of oidc-provider's models have
 * the refusal as their cause.
 */
export function refusalIn(error: unknown): QrLoginError | undefined {
  if (error instanceof QrLoginError) return error;
  return error instanceof Error && error.cause instanceof QrLoginError ? error.cause : undefined;
}

/** Returns the same error for unknown, foreign and expired tickets, so that the caller cannot tell them apart. */
export function notFound(): QrLoginError {
  return new QrLoginError('not_found', 'There is no such sign-in, or it has expired. Scan the code again.');
}

/** Returns the error for a ticket that has ended. Only the browser and the phone that owned the ticket may get it. */
export function over(reason?: ErrorReason): QrLoginError {
  return new QrLoginError('over', 'This sign-in is over. Show a new code and start again.', { reason });
}

/** Returns the error for a phone whose account has scanned the ticket in another session. */
export function scannedElsewhere(): QrLoginError {
  return new QrLoginError('wrong_state', 'This account has scanned the code on another device. Decide there.', {
    reason: 'elsewhere',
  });
}

/** The states of a ticket that its approver has decided. */
export type DecidedState = Extract<ErrorReason, 'approved' | 'denied' | 'redeemed'>;

/**
 * Thrown for an act that contradicts what the same approver has decided before. Only that approver gets it, so it names
 * the decision.
 */
export class DecidedOtherwise extends QrLoginError {
  readonly state: DecidedState;

  constructor(state: DecidedState) {
    super('wrong_state', `This sign-in cannot be decided: it is ${state}.`, { reason: state });
    this.state = state;
  }
}
