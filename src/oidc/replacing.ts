import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { sessionOf } from './approver.ts';
import { endInteraction, type Interaction } from './interaction.ts';

/** The login result of a sign-in by this plugin. */
interface OurLogin {
  readonly accountId: string;
  /** The account that was signed in to the browser at that time, or '' if none was. Not known to oidc-provider. */
  readonly replaces: string;
}

/** An account that would be signed out of this browser if the interaction were resumed. */
export interface Replacement {
  readonly interaction: Interaction;
  /** The account that would be signed out. */
  readonly accountId: string;
}

/**
 * Returns the account that oidc-provider would sign out without asking, because it resumes an interaction for another
 * account. When the user finished the sign-in, they were asked about the account that was signed in then, but another
 * tab may have signed in a different one since.
 */
export async function findUnaskedReplacement(
  provider: Provider,
  ctx: Context,
  interaction: Interaction,
): Promise<Replacement | undefined> {
  return replacementOf(interaction, (await sessionOf(provider, ctx))?.accountId);
}

/**
 * Returns the replacement that the user was not asked about, or undefined if resuming signs out no such account.
 * @param accountId the account that is signed in to the browser now
 */
export function replacementOf(interaction: Interaction, accountId: string | undefined): Replacement | undefined {
  const login = findOurLogin(interaction);
  if (login === undefined || accountId === undefined) return undefined;
  return [login.accountId, login.replaces].includes(accountId) ? undefined : { interaction, accountId };
}

/**
 * Records the user's agreement to sign this account out.
 * @returns the URL where the browser goes next
 */
export function agreeToReplace(
  provider: Provider,
  ctx: Context,
  { interaction, accountId }: Replacement,
): Promise<string> {
  const { login, ...result } = interaction.result ?? {};
  if (login === undefined) throw new TypeError('the interaction has no login result');
  return endInteraction(provider, ctx, { ...result, login: { ...login, replaces: accountId } });
}

/** Returns the login result if it comes from this plugin, or undefined if the deployment's own pages made it. */
function findOurLogin({ result }: Interaction): OurLogin | undefined {
  const login = result?.login;
  if (login === undefined || typeof login.replaces !== 'string') return undefined;
  return { accountId: login.accountId, replaces: login.replaces };
}
