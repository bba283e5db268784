import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTVerifyResult, jwtVerify } from 'jose';
import { QrLoginError } from '../../ticket/errors.ts';
import { APP_ALGORITHMS } from './app-challenge.ts';

/** The `typ` of a signed decision, so that no other JWT of the app can stand for one (RFC 8725, section 3.11). */
const DECISION_TYPE = 'qr-decision+jwt';
/** The most seconds by which the clock of an app may differ. */
const MAX_SKEW_S = 300;

/** The claims of a signed decision: what the user was shown, and what they decided. */
export interface DecisionClaims {
  /** The issuer of the provider. */
  readonly aud: string;
  /** The id of the ticket. */
  readonly ticket: string;
  readonly decision: string;
  /** True if the browser stays signed in when it is closed. */
  readonly remember: boolean;
  /** The `client_id` of the client that asks. */
  readonly client: string;
  /** The browser as the API describes it. */
  readonly browser: object;
}

/**
 * Verifies a decision that an app has signed (JWS, RFC 7515) with the key of its tokens. The key is in its header, so that
 * it can be verified again at any time.
 * @param keyId the thumbprint of the key of the app's tokens
 * @param now the time in milliseconds since the epoch
 * @returns the `time` of the decision by the app's clock, in seconds since the epoch
 * @throws QrLoginError `invalid_request` if the signature is wrong, or if it was made for another decision
 */
export async function verifyDecision(
  signature: string,
  keyId: string,
  expected: DecisionClaims,
  now: number,
): Promise<number> {
  const { payload, protectedHeader } = await verify(signature);
  const { jwk } = protectedHeader;
  if (jwk === undefined || (await calculateJwkThumbprint(jwk)) !== keyId)
    throw refused('it must be signed with the key of the access token');
  const wrong = Object.entries(expected).find(([name, value]) => !isDeepStrictEqual(payload[name], value));
  if (wrong !== undefined) throw refused(`"${wrong[0]}" must be ${JSON.stringify(wrong[1])}`);
  const { time } = payload;
  if (typeof time !== 'number' || Math.abs(now / 1000 - time) > MAX_SKEW_S)
    throw refused('"time" must be the present time, in seconds since the epoch');
  return time;
}

async function verify(signature: string): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(signature, EmbeddedJWK, { algorithms: [...APP_ALGORITHMS], typ: DECISION_TYPE });
  } catch (cause) {
    throw refused(`it must be a JWS of the type ${DECISION_TYPE}, with its public key as "jwk"`, cause);
  }
}

function refused(why: string, cause?: unknown): QrLoginError {
  return new QrLoginError('invalid_request', `The signed decision is wrong: ${why}.`, { cause });
}
