/** What oidc-provider writes, one payload for each of its models. */
import type { AdapterPayload } from 'oidc-provider';
import { isFullSuite } from '../../support/full-suite.ts';

const token = { iat: 1_767_225_600, exp: 4_000_000_000, clientId: 'rp', accountId: 'alice', grantId: 'grant' };

/** Models whose records die with their grant. */
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

/** Models whose records do not, whatever they say. */
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
  ReplayDetection: { kind: 'ReplayDetection', jti: 'replay', iss: 'rp' },
  PushedAuthorizationRequest: { kind: 'PushedAuthorizationRequest', jti: 'par', request: 'e30.e30.' },
};

export const OF_EACH_MODEL: Record<string, AdapterPayload> = { ...OF_A_GRANT, ...OF_NO_GRANT };

/** Models whose records are used once: an authorization code is redeemed, a refresh token rotated. */
export const USED_ONCE: readonly string[] = Object.keys(OF_A_GRANT).filter((model) => model !== 'AccessToken');

/** Models that stand for their kind: one whose records are used once, one of a grant, and one of no grant. */
const REPRESENTATIVES: readonly string[] = ['AuthorizationCode', 'AccessToken', 'Session'];

/** Chooses the models that a fact is tested with. */
export type ModelChoice = (models: readonly string[]) => readonly string[];

export const everyModel: ModelChoice = (models) => models;

/** Chooses all models in the full suite, and those that stand for their kind in the short one. */
export const modelsOfSuite: ModelChoice = (models) =>
  models.filter((model) => isFullSuite || REPRESENTATIVES.includes(model));
