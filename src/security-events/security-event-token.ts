import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, SignJWT } from 'jose';
import type { SigningKey } from '../oidc/actions/signed-result.ts';
import type { QueuedSet } from './receiver.ts';

/** The `typ` of a security event token (RFC 8417, section 2.3). */
const SET_TYPE = 'secevent+jwt';
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';

/** An event of the Continuous Access Evaluation Profile 1.0 (CAEP), about an account. */
export interface SecurityEvent {
  readonly accountId: string;
  readonly type: 'session-revoked' | 'credential-change';
  /** The members of the event besides its time (CAEP 1.0, sections 2 and 3). */
  readonly details: Readonly<Record<string, unknown>>;
  /** The clients that knew of the session; undefined for an event that concerns all receivers. */
  readonly clientIds?: readonly string[];
}

/** The parts of a token that depend on its receiver. */
export interface SetAddress {
  readonly issuer: string;
  readonly audience: string;
  /** The account, as the receiver knows it. */
  readonly subject: string;
}

/**
 * Signs an event as a JWT (RFC 8417). It has no `sub` and no `exp`, so that it cannot stand for an ID token (section
 * 4.5); the subject is in `sub_id` (RFC 9493, section 3.2.3).
 */
export async function signSet(
  { type, details }: SecurityEvent,
  { issuer, audience, subject }: SetAddress,
  key: SigningKey,
): Promise<QueuedSet> {
  const { alg } = key;
  const jti = randomUUID();
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    jti,
    iat,
    sub_id: { format: 'iss_sub', iss: issuer, sub: subject },
    events: { [`${CAEP}${type}`]: { event_timestamp: iat, ...details } },
  };
  // This is the id under which oidc-provider publishes a key that has none of its own.
  const kid = key.kid ?? (await calculateJwkThumbprint(key));
  const jwt = await new SignJWT(claims).setProtectedHeader({ alg, typ: SET_TYPE, kid }).sign(await importJWK(key, alg));
  return { jti, jwt };
}
