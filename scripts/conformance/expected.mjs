/** Titles of oidc-provider's tests that fail with `keyvAdapter`, by reason. */

/**
 * These tests move the clock, and expect a description of the error that only a record which was kept after its expiry
 * can give. `keyvAdapter` removes records when they expire. Redis does not follow the moved clock, so some of these
 * tests pass there.
 */
const REMOVED = [
  'grant_type=authorization_code with real tokens (1/3) - more than one redirect_uris registered  validates code is not expired',
  'grant_type=authorization_code with real tokens (3/3) - one redirect_uri registered with allowOmittingSingleRegisteredRedirectUri=true  validates code is not expired',
  'features.ciba w/o request objects grant_type=urn:openid:params:grant-type:ciba validates the backchannel authentication request is not expired',
  'POST code_verification endpoint w/o verification re-renders on found but expired code',
  'grant_type=urn:ietf:params:oauth:grant-type:device_code validates  validates code is not expired',
  'grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code validates  code is not expired',
  'grant_type=refresh_token validates  validates the refresh token is not expired',
];

/**
 * These tests save tokens of the grant "foo", which an earlier test of the same file has ended. `keyvAdapter` writes no
 * records of a grant for ten minutes after its end, so that a request under way cannot outlive it. A provider never
 * uses the id of a grant again.
 */
const ENDED_GRANT = [
  'revocation features /token/revocation revokes refresh token [wrong hint]',
  'revocation features /token/revocation revokes refresh token [unrecognized hint]',
  'revocation features /token/revocation does not revoke tokens of other clients (confidential client making the request - exposed error)',
  'revocation features /token/revocation populates ctx.oidc.entities when revoking an AccessToken',
  'revocation features /token/revocation populates ctx.oidc.entities when revoking a RefreshToken',
];

/**
 * These tests send a refresh token twice at once, and expect the event `refresh_token.destroyed`. In Redis both
 * requests find the token unused. `keyvAdapter` then ends the grant with all its records and emits `grant.revoked`, but
 * oidc-provider does not learn that a token was destroyed.
 */
const AT_ONCE = [
  'grant_type=refresh_token rotateRefreshToken=true revokes the complete grant if the old token is used again',
  'grant_type=refresh_token rotateRefreshToken is a function (returns true) revokes the complete grant if the old token is used again',
];

/** The reason for each of these titles. */
export const EXPECTED = Object.fromEntries([
  ...REMOVED.map((title) => [title, 'it expects a record that has expired']),
  ...AT_ONCE.map((title) => [title, 'two requests at once both find the token unused']),
  ...ENDED_GRANT.map((title) => [title, 'it uses a grant again that has ended']),
]);
