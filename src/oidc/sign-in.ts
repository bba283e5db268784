import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Approver } from '../ticket/ticket.ts';
import { endInteraction } from './interaction.ts';

/** More than one channel was used, and a person was there (RFC 8176, section 2). */
const APPROVED_ON_A_PHONE = ['mca', 'user'];

/**
 * Signs the browser in as the approver. Tapping Approve is no authentication: `auth_time` and `acr` are those of the
 * phone's session, and `amr` adds only what the ceremony itself has shown.
 */
export function signIn(provider: Provider, ctx: Context, approver: Approver): Promise<string> {
  const { accountId, authenticatedAt, acr, amr = [] } = approver;
  return endInteraction(provider, ctx, {
    login: {
      accountId,
      ts: authenticatedAt,
      ...(acr !== undefined && { acr }),
      amr: [...new Set([...amr, ...APPROVED_ON_A_PHONE])],
      // Whoever sits at the browser has not asked to stay signed in.
      remember: false,
    },
  });
}

/** Ends the request with `access_denied` (RFC 6749, section 4.1.2.1). */
export function refuse(provider: Provider, ctx: Context, description: string): Promise<string> {
  return endInteraction(provider, ctx, { error: 'access_denied', error_description: description });
}
