import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { hashTexts, RESULT_TYPE } from '../oidc/actions/signed-result.ts';

/** The content of a verified result. */
export interface VerifiedApproval {
  /** The account that approved, as the client knows it. */
  readonly sub: string;
  readonly reference?: string;
  /** The time of the approval, in seconds since the epoch. */
  readonly approvedAt: number;
  /** The time at which the approver signed in on the phone, in seconds since the epoch (OIDC Core, section 2). */
  readonly authTime: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
}

/** The values that a result is compared with. */
export interface ReadApprovalOptions {
  /** The provider's issuer. */
  readonly issuer: string;
  /** The expected recipient: your client id, or the audience that you asked for. */
  readonly audience: string;
  /** The keys of the provider: `createRemoteJWKSet(new URL(jwks_uri))` of jose. */
  readonly keys: JWTVerifyGetKey;
  /** The account that you asked to approve: its `sub` at your client. */
  readonly sub: string;
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
 * Verifies the signed result of an action: the signature, the type, the issuer, the recipient, the account and the
 * time, that the user has seen these texts, and that the result was not used before.
 * @param jwt the member `jwt` of an approval, or `result` of the answer to a client
 * @throws ApprovalRefused; TypeError if `issuer`, `audience` or `sub` is missing
 */
export async function readApproval(jwt: string, options: ReadApprovalOptions): Promise<VerifiedApproval> {
  const { issuer, audience, keys, sub, title, details = '', reference, useOnce, now } = options;
  assertGiven({ issuer, audience, sub });
  const claims = await verify(jwt, keys, { issuer, audience, typ: RESULT_TYPE, ...(now && { currentDate: now }) });
  const { jti, iat, exp, auth_time: authTime, acr, amr } = claims;
  if (jti === undefined || iat === undefined || exp === undefined || typeof authTime !== 'number')
    throw new ApprovalRefused('the result lacks one of the claims jti, iat, exp and auth_time');
  if (subjectIn(claims) !== sub) throw new ApprovalRefused('another account has approved');
  if (claims.details_hash !== hashTexts({ title, details }))
    throw new ApprovalRefused('the user has approved other texts than these');
  if (claims.reference !== reference) throw new ApprovalRefused('the result is for another reference');
  // Check this last, so that a result that is refused for another reason is not marked as used.
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

/** Ensures that these values are given: jose skips the comparison with a value that is undefined. */
function assertGiven(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    if (typeof value !== 'string' || value === '') throw new TypeError(`readApproval: "${name}" must be a text`);
}

/** Returns the account in `sub_id` (RFC 9493, section 3.2.3). */
function subjectIn({ iss, sub_id: id }: JWTPayload): unknown {
  if (typeof id !== 'object' || id === null || !('format' in id) || !('iss' in id) || !('sub' in id)) return undefined;
  return id.format === 'iss_sub' && id.iss === iss ? id.sub : undefined;
}

async function verify(
  jwt: string,
  keys: JWTVerifyGetKey,
  expected: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(jwt, keys, { ...expected, requiredClaims: ['exp', 'iat', 'jti', 'sub_id'] })).payload;
  } catch (cause) {
    throw new ApprovalRefused(`the result is not valid: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
