import { type ErrorCode, QrLoginError } from '../../ticket/errors.ts';

/**
 * The signature algorithms that proofs and signed decisions may have (RFC 7518, section 3.1; RFC 8037, section 3.1).
 */
export const APP_ALGORITHMS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'ES384', 'ES512', 'PS256', 'RS256'];

/** The scope that an access token needs to approve sign-ins. */
export const APP_SCOPE = 'qr_login';

export type ChallengeCode = Extract<
  ErrorCode,
  'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof' | 'use_dpop_nonce' | 'insufficient_user_authentication'
>;

interface ChallengeOptions extends ErrorOptions {
  /** More parameters of the challenge, such as `max_age`. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** True if the request had no token at all: the challenge then names no error (RFC 6750, section 3.1). */
  readonly isBare?: boolean;
}

/**
 * A refusal that tells an app by a `WWW-Authenticate` header what to send instead (RFC 6750, section 3; RFC 9449,
 * section 7.1; RFC 9470, section 3).
 */
export class AppChallenge extends QrLoginError {
  /** The value of `WWW-Authenticate`. */
  readonly header: string;

  /** The value for a client that may send a bearer token as well, with both challenges (RFC 9110, section 11.6.1). */
  readonly headerForClients: string;

  constructor(
    code: ChallengeCode,
    message: string,
    { parameters = {}, isBare = false, ...options }: ChallengeOptions = {},
  ) {
    super(code, message, options);
    const error = isBare ? {} : { error: code, error_description: message };
    this.header = challenge('DPoP', { ...error, algs: APP_ALGORITHMS.join(' '), ...parameters });
    this.headerForClients = `${challenge('Bearer', { ...error, ...parameters })}, ${this.header}`;
  }
}

function challenge(scheme: string, parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${quotable(value)}"`);
  return [scheme, pairs.join(', ')].join(' ').trimEnd();
}

/** Returns a text without the characters that a parameter of a challenge must not have (RFC 6750, section 3). */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'");
}

/** Returns the refusal of an access token. */
export function invalidToken(message: string, options: ChallengeOptions = {}): AppChallenge {
  return new AppChallenge('invalid_token', message, options);
}

/** Returns the refusal of a proof. */
export function invalidProof(message: string, options: ChallengeOptions = {}): AppChallenge {
  return new AppChallenge('invalid_dpop_proof', message, options);
}
