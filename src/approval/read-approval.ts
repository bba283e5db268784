import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { hashTexts, RESULT_TYPE } from '../oidc/actions/signed-result.ts';

/** A result that is right, and was not used before. */
export interface VerifiedApproval {
  /** The account that approved, as the client knows it. */
  readonly sub: string;
  readonly reference?: string;
  /** The time of the approval, in seconds since the epoch. */
  readonly approvedAt: number;
  /** The approver's sign-in on the phone (OIDC Core, section 2). */
  readonly authTime: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
}

/** The values that a result is compared with. */
export interface ReadApprovalOptions {
  /** The provider's issuer. */
  readonly issuer: string;
  /** The recipient: your client id, or the audience that was asked for. */
  readonly audience: string;
  /** The keys of the provider: `createRemoteJWKSet(new URL(jwks_uri))` of jose. */
  readonly keys: JWTVerifyGetKey;
  /** The texts that you asked to be approved. The user has seen exactly these. */
  readonly title: string;
  /** @default '' */
  readonly details?: string;
  /** The value that you sent along, if you sent one. */
  readonly reference?: string;
  /**
   * Marks the result as used: returns true the first time that it is called with an id, and false from then on, in all
   * of your processes. Keep the id until `expiresAt`, in seconds since the epoch.
   */
  readonly useOnce: (id: string, expiresAt: number) => boolean | Promise<boolean>;
  /** The present time, for tests. @default now */
  readonly now?: Date;
}

/** Thrown for a result that must not be acted on. The message says why. */
export class ApprovalRefused extends Error {
  override readonly name = 'ApprovalRefused';
}

/**
 * Verifies the signed result of an action: the signature, the type, the issuer, the recipient and the time, that the
 * user has seen these texts, and that it was not used before.
 * @param jwt the member `jwt` of an approval, or `result` of the answer to a client
 * @throws ApprovalRefused
 */
export async function readApproval(jwt: string, options: ReadApprovalOptions): Promise<VerifiedApproval> {
  const { issuer, audience, keys, title, details = '', reference, useOnce, now } = options;
  const claims = await verify(jwt, keys, { issuer, audience, typ: RESULT_TYPE, ...(now && { currentDate: now }) });
  const { sub, jti, iat, exp, auth_time: authTime, acr, amr } = claims;
  if (sub === undefined || jti === undefined || iat === undefined || exp === undefined || typeof authTime !== 'number')
    throw new ApprovalRefused('the result lacks a claim');
  if (claims.details_hash !== hashTexts({ title, details }))
    throw new ApprovalRefused('the user has approved other texts than these');
  if (claims.reference !== reference) throw new ApprovalRefused('the result is for another reference');
  // Last: a result that is refused for another reason is not used up.
  if (!(await useOnce(jti, exp))) throw new ApprovalRefused('the result was used before');
  return {
    sub,
    approvedAt: iat,
    authTime,
    ...(reference !== undefined && { reference }),
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && { amr: amr.map(String) }),
  };
}

async function verify(
  jwt: string,
  keys: JWTVerifyGetKey,
  expected: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(jwt, keys, { ...expected, requiredClaims: ['exp', 'iat', 'jti', 'sub'] })).payload;
  } catch (cause) {
    throw new ApprovalRefused(`the result is not valid: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
