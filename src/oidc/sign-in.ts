import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Duration } from '../ticket/browsers/duration.ts';
import type { AuthenticatedUser, DeniedTicket, RedeemedTicket, SignInRequest } from '../ticket/ticket.ts';
import { APPROVED_ON_A_PHONE } from './approved-on-phone.ts';
import { addToGrant } from './consent.ts';
import { endInteraction } from './interaction.ts';
import type { BrowserNote } from './resume/resumed.ts';

/** The data of a browser's sign-in. */
export interface BrowserSignIn {
  readonly user: AuthenticatedUser;
  readonly request: SignInRequest;
  /** True if the browser stays signed in when it is closed. Default: the provider's own setting. */
  readonly remember?: boolean;
  /** The time that the user stays signed in. Default: the provider's own setting. */
  readonly duration?: Duration;
  /** The account that was signed in to the browser and may be signed out. */
  readonly replaces: string | undefined;
  /** The id of the grant that the browser's session gave to this client before. */
  readonly grantId: string | undefined;
  /** Data about the browser; present if a phone approved. */
  readonly browser?: BrowserNote;
}

/**
 * Returns the sign-in of the approver of a redeemed ticket. Tapping Approve is not an authentication: `auth_time` and
 * `acr` are those of the phone's session, and `amr` adds only what the ceremony itself has shown.
 */
export function signInDataOf({
  approver,
  request,
  remember,
  duration,
}: RedeemedTicket): Pick<BrowserSignIn, 'user' | 'request' | 'remember' | 'duration'> {
  const amr = [...new Set([...(approver.amr ?? []), ...APPROVED_ON_A_PHONE])];
  return { user: { ...approver, amr }, request, remember, ...(duration !== undefined && { duration }) };
}

/**
 * Signs the browser in.
 * @returns the URL where the browser goes next
 */
export async function signIn(
  provider: Provider,
  ctx: Context,
  { user, request, remember, duration, replaces, grantId: before, browser }: BrowserSignIn,
): Promise<string> {
  const { accountId, authenticatedAt, acr, amr = [] } = user;
  const login = {
    accountId,
    ts: authenticatedAt,
    ...(acr !== undefined && { acr }),
    amr: [...amr],
    ...(remember !== undefined && { remember }),
    ...(duration !== undefined && { duration }),
    replaces: replaces ?? '',
    ...(browser !== undefined && { browser }),
  };
  if (request.consent === undefined) return endInteraction(provider, ctx, { login });
  const to = { accountId, clientId: request.client.id, grantId: before };
  const grantId = await addToGrant(provider, to, request.consent);
  return endInteraction(provider, ctx, { login, consent: { grantId } });
}

/**
 * The reason why a request ends with an error: the reason of a denial on the phone, a cancellation or a refusal of
 * consent at the browser, or a sign-in that was ended before it began.
 */
export type RefusalReason = DeniedTicket['because'] | 'browser' | 'consent' | 'ended';

type RefusalResult = { readonly error: string; readonly error_description: string };

/**
 * The same error for each reason of a denial, so that an attacker at the browser does not learn the reason. Its text
 * names no person, because a rule may have denied.
 */
const DENIED = { error: 'access_denied', error_description: 'The sign-in was not approved.' } as const;

/**
 * The errors for the RP by reason (RFC 6749, section 4.1.2.1; OIDC Core, section 3.1.2.6; OIDC Unmet Authentication
 * Requirements).
 */
const REFUSALS: Readonly<Record<RefusalReason, RefusalResult>> = {
  person: DENIED,
  report: DENIED,
  risk: DENIED,
  blocked: DENIED,
  account: { error: 'login_required', error_description: 'The requested End-User is not signed in on the phone.' },
  local: { error: 'login_required', error_description: 'The End-User was not authenticated on the phone itself.' },
  freshness: { error: 'login_required', error_description: 'The End-User could not be authenticated again.' },
  acr: {
    error: 'unmet_authentication_requirements',
    error_description: 'The requested authentication context class could not be reached on the phone.',
  },
  enrolled: { error: 'access_denied', error_description: 'The browser is not enrolled for this sign-in.' },
  browser: { error: 'access_denied', error_description: 'The sign-in was cancelled.' },
  consent: { error: 'access_denied', error_description: 'The End-User did not allow the access.' },
  ended: { error: 'access_denied', error_description: 'The sign-in was ended before the browser had completed it.' },
};

/** Returns the error for the RP. */
export function refusalFor(because: RefusalReason): RefusalResult {
  return REFUSALS[because];
}

/**
 * Ends the request with an error for the RP.
 * @returns the URL where the browser goes next
 */
export function endWithError(provider: Provider, ctx: Context, because: RefusalReason): Promise<string> {
  return endInteraction(provider, ctx, refusalFor(because));
}

/**
 * Makes a session outlive the browser if the user's latest sign-in asks for it. Without this, a session that began as
 * transient stays transient in oidc-provider.
 */
export function rememberOnResume(provider: Provider): void {
  provider.on('interaction.ended', ({ oidc }: KoaContextWithOIDC) => {
    if (oidc.result?.login?.remember === true && oidc.session?.transient) oidc.session.transient = undefined;
  });
}
