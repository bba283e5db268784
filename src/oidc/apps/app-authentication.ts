import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { PhoneAuthentication } from '../approver.ts';
import { text } from '../request/parameters.ts';
import { invalidToken } from './app-challenge.ts';

type ExtraTokenClaims = NonNullable<Configuration['extraTokenClaims']>;
type Token = Parameters<ExtraTokenClaims>[1];

/**
 * The sign-in from which tokens were issued, as oidc-provider's records hold it. All records but access tokens have
 * these fields.
 */
interface SignInRecord {
  readonly accountId?: unknown;
  readonly authTime?: unknown;
  readonly acr?: unknown;
  readonly amr?: unknown;
}

/** The records that a request for tokens may use. A refresh token holds the sign-in from which it was issued. */
const SOURCES = ['AuthorizationCode', 'RefreshToken', 'DeviceCode', 'BackchannelAuthenticationRequest'] as const;

/**
 * Returns the claims about the user's authentication for an access token (RFC 9068, section 2.2.1): `auth_time`, `acr`
 * and `amr` of the sign-in from which the token was issued, also after refreshes. Deployments set the
 * provider's `extraTokenClaims` to this function (`qr.extraTokenClaims`); otherwise apps cannot approve.
 * @returns undefined for a token without a user
 */
export function authenticationClaims(
  ctx: KoaContextWithOIDC | undefined,
  token: Token,
): Readonly<Record<string, unknown>> | undefined {
  // A program may issue tokens outside of any request.
  if (token.kind !== 'AccessToken' || ctx === undefined) return undefined;
  const { entities } = ctx.oidc;
  const source: SignInRecord | undefined = SOURCES.map((name) => entities[name]).find((record) => record !== undefined);
  if (source?.accountId !== token.accountId || typeof source.authTime !== 'number') return undefined;
  const { authTime, acr, amr } = source;
  return { auth_time: authTime, ...(acr !== undefined && { acr }), ...(amr !== undefined && { amr }) };
}

/** True once the operator has been warned. */
let hasWarned = false;

/**
 * Returns the authentication that an access token states.
 * @throws QrLoginError `invalid_token` if it states none: it was issued before `extraTokenClaims` was set
 */
export function readAuthentication({
  accountId,
  extra = {},
}: {
  readonly accountId: string;
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}): PhoneAuthentication {
  const { auth_time: authenticatedAt, acr, amr } = extra;
  if (typeof authenticatedAt !== 'number' || authenticatedAt <= 0) {
    warnOnce();
    throw invalidToken('The access token does not say when the user has signed in. Get another one.');
  }
  return {
    accountId,
    authenticatedAt,
    onPhone: { ...(text(acr) !== undefined && { acr: `${acr}` }), ...(isTexts(amr) && { amr }) },
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function warnOnce(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'an app has sent an access token without auth_time, so it cannot approve: set extraTokenClaims: qr.extraTokenClaims in the configuration of the provider',
    { type: 'QrLoginWarning', code: 'QR_LOGIN_TOKEN_CLAIMS' },
  );
}
