/** Validates a logout token for an RP (OIDC Back-Channel Logout 1.0, section 2.6). */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type * as client from 'openid-client';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** The key sets by their URL. A set is fetched once, and again if a token is signed with an unknown key. */
const keySets = new Map<string, JWTVerifyGetKey>();

/**
 * Validates a logout token.
 * @param send fetches the keys; the global `fetch` by default
 * @returns the `sid` of the session that has ended; undefined if this RP must not accept the token
 */
export async function findEndedSession(
  provider: client.ServerMetadata,
  audience: string,
  token: string,
  send?: typeof fetch,
): Promise<string | undefined> {
  const { issuer, jwks_uri: jwksUri = '' } = provider;
  const keys = keySets.get(jwksUri) ?? createRemoteJWKSet(new URL(jwksUri), send && { [customFetch]: send });
  keySets.set(jwksUri, keys);
  const requiredClaims = ['iat', 'exp', 'jti', 'events', 'sid'];
  const checks = {
    issuer,
    audience,
    typ: 'logout+jwt',
    algorithms: ['RS256'],
    maxTokenAge: '2 minutes',
    requiredClaims,
  };
  try {
    const { payload } = await jwtVerify<{ sid: unknown; events: unknown }>(token, keys, checks);
    const isLogout = typeof payload.events === 'object' && payload.events !== null && EVENT in payload.events;
    return isLogout && !('nonce' in payload) && typeof payload.sid === 'string' ? payload.sid : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
