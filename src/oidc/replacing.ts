import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { sessionOf } from './approver.ts';
import { endInteraction, type Interaction } from './interaction.ts';
import { providersCookie } from './signed-cookie.ts';

/** A login result of ours: beside what oidc-provider knows, who was signed in at the browser then, '' for nobody. */
interface OurLogin {
  readonly accountId: string;
  readonly replaces: string;
}

/** What going on would do to an account that is signed in at this browser. */
export interface Replacement {
  readonly interaction: Interaction;
  /** Who would be signed out. */
  readonly accountId: string;
}

/**
 * oidc-provider signs another account out without asking when an interaction is resumed. Whoever finishes was asked about the
 * account that was there; another tab may have signed another one in since.
 */
export async function unaskedReplacement(provider: Provider, ctx: Context): Promise<Replacement | undefined> {
  // Its path is that of the URL which resumes the interaction.
  const uid = providersCookie(provider, ctx, 'resume');
  const interaction = uid === undefined ? undefined : await provider.Interaction.find(uid);
  if (interaction?.result === undefined) return undefined;
  return replacementOf(interaction, (await sessionOf(provider, ctx))?.accountId);
}

/** @param accountId who is signed in at the browser now */
export function replacementOf(interaction: Interaction, accountId: string | undefined): Replacement | undefined {
  const login = ourLogin(interaction);
  if (login === undefined || accountId === undefined) return undefined;
  return [login.accountId, login.replaces].includes(accountId) ? undefined : { interaction, accountId };
}

/** Notes that this account may be signed out. @returns where the browser goes next */
export function agreeToReplace(
  provider: Provider,
  ctx: Context,
  { interaction, accountId }: Replacement,
): Promise<string> {
  const { login, ...result } = interaction.result ?? {};
  if (login === undefined) throw new TypeError('nobody is about to be signed in');
  return endInteraction(provider, ctx, { ...result, login: { ...login, replaces: accountId } });
}

/** What this plugin has signed somebody in with; what the deployment's own pages do is theirs. */
function ourLogin({ result }: Interaction): OurLogin | undefined {
  const login = result?.login;
  if (login === undefined || typeof login.replaces !== 'string') return undefined;
  return { accountId: login.accountId, replaces: login.replaces };
}
