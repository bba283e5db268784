import { isDeepStrictEqual } from 'node:util';
import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  type JWTVerifyResult,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import { QrLoginError } from '../../ticket/errors.ts';
import { APP_ALGORITHMS } from './app-challenge.ts';

/** The `typ` of a signed decision, so that no other JWT of the app can stand for one (RFC 8725, section 3.11). */
export const DECISION_TYPE = 'qr-decision+jwt';
/** The most seconds by which the clock of an app may differ from that of the server. */
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
  /** The time that the user stays signed in, if the app has sent one. */
  readonly duration: string | undefined;
  /** The `client_id` of the client that asks. */
  readonly client: string;
  /** The browser as the API describes it. */
  readonly browser: object;
  /** The texts that the user was shown, if an action was asked for. */
  readonly action: object | undefined;
  /** The message that the user was shown, if a client asked without a browser. */
  readonly backchannel: object | undefined;
}

/** The keys with which an app may sign its decisions. */
export interface DecisionKeys {
  /**
   * The thumbprint (RFC 7638) of the DPoP key to which the app's access tokens are bound. A JWS signed with that key
   * carries its public key in the header (`jwk`).
   */
  readonly keyId: string;
  /** The public keys that the app has registered (`jwks`, RFC 7591, section 2). The header names one by its `kid`. */
  readonly registered: readonly JWK[];
}

/** A decision whose signature and claims are right. */
export interface VerifiedDecision {
  /** The time of the decision by the app's clock, in seconds since the epoch. */
  readonly time: number;
  /** The public key that has signed it, and its thumbprint (RFC 7638). */
  readonly jwk: JWK;
  readonly keyId: string;
}

/**
 * Verifies a decision that an app has signed (JWS, RFC 7515): with the key of its tokens, or with one that it has
 * registered.
 * @param now the time in milliseconds since the epoch
 * @throws QrLoginError `invalid_request` if the signature is wrong, or if it was made for another decision
 */
export async function verifyDecision(
  signature: string,
  keys: DecisionKeys,
  expected: DecisionClaims,
  now: number,
): Promise<VerifiedDecision> {
  const { payload, jwk, keyId } = await verify(signature, keys);
  const wrong = Object.entries(expected).find(([name, value]) => !isDeepStrictEqual(payload[name], value));
  if (wrong !== undefined) throw refusal(`"${wrong[0]}" must be ${JSON.stringify(wrong[1]) ?? 'absent'}`);
  const { time } = payload;
  if (typeof time !== 'number' || Math.abs(now / 1000 - time) > MAX_SKEW_S)
    throw refusal('"time" must be the present time, in seconds since the epoch');
  return { time, jwk, keyId };
}

type VerifiedSignature = Pick<JWTVerifyResult, 'payload'> & Pick<VerifiedDecision, 'jwk' | 'keyId'>;

async function verify(signature: string, { keyId: tokenKeyId, registered }: DecisionKeys): Promise<VerifiedSignature> {
  const jwk = findKey(signature, registered);
  try {
    const keyId = await calculateJwkThumbprint(jwk);
    // A key in the header proves nothing by itself.
    if (!registered.includes(jwk) && keyId !== tokenKeyId)
      throw refusal('it must be signed with the key of the access token, or with a registered one');
    const { payload } = await jwtVerify(signature, ({ alg = '' }) => importJWK(jwk, alg), {
      algorithms: [...APP_ALGORITHMS],
      typ: DECISION_TYPE,
    });
    return { payload, jwk: publicPartOf(jwk), keyId };
  } catch (cause) {
    if (cause instanceof QrLoginError) throw cause;
    throw malformedRefusal(cause);
  }
}

/** Returns the key that the header has as `jwk`, or that its `kid` names. */
function findKey(signature: string, registered: readonly JWK[]): JWK {
  const { jwk, kid } = readHeader(signature);
  if (jwk !== undefined) return jwk;
  const named = registered.find((key) => kid !== undefined && key.kid === kid && key.use !== 'enc');
  if (named === undefined) throw malformedRefusal();
  return named;
}

/**
 * Returns only the members of a key that its thumbprint covers, because an app may add others to the key in the header.
 */
function publicPartOf({ kty, crv, x, y, n, e }: JWK): JWK {
  return Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
}

function readHeader(signature: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(signature);
  } catch (cause) {
    throw malformedRefusal(cause);
  }
}

function malformedRefusal(cause?: unknown): QrLoginError {
  return refusal(
    `it must be a JWS of the type ${DECISION_TYPE}, with its public key as "jwk" or the "kid" of a registered one`,
    cause,
  );
}

function refusal(why: string, cause?: unknown): QrLoginError {
  return new QrLoginError('invalid_request', `The signed decision is wrong: ${why}.`, { cause });
}
