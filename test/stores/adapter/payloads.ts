/**
 * Payloads that oidc-provider writes, one for each of its models. `ReplayDetection` is missing, because looking up an
 * unknown id there writes a record.
 */
import type { AdapterPayload } from 'oidc-provider';
import { isFullSuite } from '../../support/full-suite.ts';

const token = { iat: 1_767_225_600, exp: 4_000_000_000, clientId: 'rp', accountId: 'alice', grantId: 'grant' };

/** Models with records that are deleted with their grant. */
export const OF_A_GRANT: Record<string, AdapterPayload> = {
  AccessToken: {
    ...token,
    kind: 'AccessToken',
    jti: 'at',
    scope: 'openid profile',
    extra: { nested: { deep: [1, 2] } },
  },
  AuthorizationCode: { ...token, kind: 'AuthorizationCode', jti: 'ac', redirectUri: 'https://rp.example/cb' },
  RefreshToken: { ...token, kind: 'RefreshToken', jti: 'rt', rotations: 2, iiat: 1_767_225_600 },
  DeviceCode: { ...token, kind: 'DeviceCode', jti: 'dc', userCode: 'BCDFGHJK', params: { scope: 'openid' } },
  BackchannelAuthenticationRequest: { ...token, kind: 'BackchannelAuthenticationRequest', jti: 'ba' },
  PreAuthorizedCode: { ...token, kind: 'PreAuthorizedCode', jti: 'pc', txCode: '1234' },
};

/** Models with records that are not deleted with a grant, even if they have a `grantId`. */
export const OF_NO_GRANT: Record<string, AdapterPayload> = {
  Session: {
    kind: 'Session',
    jti: 'session',
    uid: 'uid of a session',
    accountId: 'alice',
    loginTs: 1_767_225_600,
    amr: ['pwd'],
    authorizations: { rp: { sid: 'sid', grantId: 'grant' } },
  },
  Interaction: {
    kind: 'Interaction',
    jti: 'interaction',
    uid: 'uid of an interaction',
    returnTo: 'https://op.example',
  },
  Grant: { kind: 'Grant', jti: 'grant', accountId: 'alice', clientId: 'rp', openid: { scope: 'openid' } },
  ClientCredentials: { kind: 'ClientCredentials', jti: 'cc', clientId: 'rp', scope: 'api' },
  Client: { client_id: 'rp', redirect_uris: ['https://rp.example/cb'] },
  InitialAccessToken: { kind: 'InitialAccessToken', jti: 'iat', policies: ['any'] },
  RegistrationAccessToken: { kind: 'RegistrationAccessToken', jti: 'rat', clientId: 'rp' },
  PushedAuthorizationRequest: { kind: 'PushedAuthorizationRequest', jti: 'par', request: 'e30.e30.' },
};

export const OF_EACH_MODEL: Record<string, AdapterPayload> = { ...OF_A_GRANT, ...OF_NO_GRANT };

/** Models with single-use records of a grant: an authorization code is redeemed, a refresh token is rotated. */
export const USED_ONCE_OF_A_GRANT: readonly string[] = Object.keys(OF_A_GRANT).filter(
  (model) => model !== 'AccessToken',
);

/** Models with single-use records. */
export const USED_ONCE: readonly string[] = [...USED_ONCE_OF_A_GRANT, 'PushedAuthorizationRequest'];

/** Representative models: one with records that are used once, one that belongs to a grant, and one that does not. */
const REPRESENTATIVES: readonly string[] = ['AuthorizationCode', 'AccessToken', 'Session'];

/** Chooses the models with which a fact is tested. */
export type ModelChoice = (models: readonly string[]) => readonly string[];

export const everyModel: ModelChoice = (models) => models;

/** Chooses all models in the full suite, and the representative ones in the short suite. */
export const modelsOfSuite: ModelChoice = (models) =>
  models.filter((model) => isFullSuite || REPRESENTATIVES.includes(model));
