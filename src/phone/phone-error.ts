/**
 * The codes of errors that this library finds itself. All others come from the provider: the codes of its API (see
 * `ErrorCode` of `oidc-provider-qr-login`), and those of RFC 6750, 9449 and 9470.
 *
 * - `foreign_code`: the code belongs to another provider. No request was sent.
 * - `not_a_code`: the text is not a code. No request was sent.
 * - `network`: there was no answer. `cause` has the error of `fetch`.
 * - `timeout`: there was no answer in time.
 * - `wrong_answer`: the answer is not one of the provider, but for example of a captive portal.
 * - `aborted`: the signal was aborted, in an engine whose signals have no reason.
 */
export type OwnErrorCode = 'foreign_code' | 'not_a_code' | 'network' | 'timeout' | 'wrong_answer' | 'aborted';

/** The codes of the challenges (RFC 6750, section 3.1; RFC 9449, sections 7.1 and 9; RFC 9470, section 3). */
export type ChallengeCode =
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | 'insufficient_user_authentication';

/**
 * The step that helps after an error.
 *
 * - `scan`: scan a new code.
 * - `retry`: call the same method again, after `retryAfter` seconds if there are any. Every method may be repeated.
 * - `sign_in`: get another access token by an authorization request of the app.
 * - `step_up`: the same, with `max_age` and `acr_values` of `requirement`. Then go on with the same ticket.
 * - `prove`: call `approve` with the `proof` that the ticket requires.
 * - `stop`: tell the user; nothing in the app helps.
 */
export type PhoneAction = 'scan' | 'retry' | 'sign_in' | 'step_up' | 'prove' | 'stop';

/** The authentication that the provider demands before Approve (RFC 9470, section 3). */
export interface AuthenticationRequirement {
  /** The longest time since the sign-in, in seconds; 0 demands a sign-in now. */
  readonly maxAge?: number | undefined;
  /** The values of `acr` that are accepted, in the order of preference. */
  readonly acrValues?: readonly string[] | undefined;
}

/** Details of an error, where there are any. */
export interface PhoneErrorDetails {
  /** The cause, if the code has several: see `ErrorReason` of `oidc-provider-qr-login`. */
  readonly reason?: string | undefined;
  /** The HTTP status. */
  readonly status?: number | undefined;
  /** Seconds until the same request may be sent again (`Retry-After`). */
  readonly retryAfter?: number | undefined;
  readonly requirement?: AuthenticationRequirement | undefined;
  readonly cause?: unknown;
}

const ACTIONS: Readonly<Record<string, PhoneAction>> = {
  foreign_code: 'scan',
  not_a_code: 'scan',
  not_found: 'scan',
  over: 'scan',
  network: 'retry',
  timeout: 'retry',
  wrong_answer: 'retry',
  use_dpop_nonce: 'retry',
  invalid_token: 'sign_in',
  insufficient_scope: 'sign_in',
  wrong_account: 'sign_in',
  insufficient_user_authentication: 'step_up',
  proof_required: 'prove',
  wrong_proof: 'prove',
};

/** The only error that the library throws by itself. `message` is English, for developers, and says what to do. */
export class PhoneError extends Error implements PhoneErrorDetails {
  override readonly name = 'PhoneError';
  /** Stable, for programs. New codes may be added: use `action` for those that you do not know. */
  readonly code: OwnErrorCode | ChallengeCode | (string & {});
  readonly action: PhoneAction;
  declare readonly reason?: string | undefined;
  declare readonly status?: number | undefined;
  declare readonly retryAfter?: number | undefined;
  declare readonly requirement?: AuthenticationRequirement | undefined;

  constructor(code: string, message: string, details: PhoneErrorDetails = {}) {
    super(message);
    const { status = 0 } = Object.assign(this, details);
    this.code = code;
    this.action = ACTIONS[code] ?? (status === 429 || status >= 500 ? 'retry' : 'stop');
  }
}
