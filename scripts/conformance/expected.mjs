/** Titles of oidc-provider's tests that fail with `keyvAdapter`, by reason. */

/**
 * These move the clock, and expect a description of the error that only a record which was kept after its expiry can
 * give. `keyvAdapter` removes records when they expire. In Redis, whose clock the tests do not move, they pass.
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
 * These save tokens of the grant "foo", which an earlier test of the same file has ended. `keyvAdapter` writes no
 * records of a grant for ten minutes after its end, so that a request under way cannot outlive it. A provider never uses
 * the id of a grant again.
 */
const ENDED_GRANT = [
  'revocation features /token/revocation revokes refresh token [wrong hint]',
  'revocation features /token/revocation revokes refresh token [unrecognized hint]',
  'revocation features /token/revocation does not revoke tokens of other clients (confidential client making the request - exposed error)',
  'revocation features /token/revocation populates ctx.oidc.entities when revoking an AccessToken',
  'revocation features /token/revocation populates ctx.oidc.entities when revoking a RefreshToken',
];

/** The reason for each of these titles. */
export const EXPECTED = Object.fromEntries([
  ...REMOVED.map((title) => [title, 'it expects a record that has expired']),
  ...ENDED_GRANT.map((title) => [title, 'it uses a grant again that has ended']),
]);
