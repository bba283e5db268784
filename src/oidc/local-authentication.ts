import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { isApprovedOnPhone } from './approved-on-phone.ts';
import { sessionOf } from './approver.ts';

/** An authentication that the user has performed in this browser. */
export interface LocalAuthentication {
  readonly accountId: string;
  /** The time of the authentication, in seconds since the epoch. */
  readonly authenticatedAt: number;
  readonly acr?: string;
  /** The methods that were used (RFC 8176); empty if the sign-in page has named none. */
  readonly amr: readonly string[];
}

export interface LocalAuthenticationOptions {
  /**
   * The highest age of the authentication, in seconds.
   * @default any age
   */
  readonly maxAge?: number;
}

/**
 * Returns the authentication that the user performed in this browser. A browser that was signed in by a phone has none:
 * its `auth_time` comes from the phone, and does not show that the account's owner is at the browser. Require a local
 * authentication before anything that outlasts the session, such as adding a passkey or changing the password.
 *
 * @returns undefined if no user is signed in, if a phone approved the sign-in, or if the authentication is too old
 */
export async function localAuthentication(
  provider: Provider,
  ctx: Context,
  { maxAge = Number.POSITIVE_INFINITY }: LocalAuthenticationOptions = {},
): Promise<LocalAuthentication | undefined> {
  const session = await sessionOf(provider, ctx);
  if (session?.accountId === undefined || session.loginTs === undefined) return undefined;
  const { accountId, loginTs: authenticatedAt, acr, amr = [] } = session;
  if (isApprovedOnPhone(amr)) return undefined;
  const age = Math.floor(Date.now() / 1000) - authenticatedAt;
  // Keep this order: comparisons with NaN are false, so a `maxAge` that is not a number accepts no authentication.
  return age <= maxAge ? { accountId, authenticatedAt, amr, ...(acr !== undefined && { acr }) } : undefined;
}
