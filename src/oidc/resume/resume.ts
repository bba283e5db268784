import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { isFreshEnough } from '../../ticket/requirements.ts';
import type { Interaction } from '../interaction.ts';
import { type RefusalReason, refusalFor } from '../sign-in.ts';
import { readProviderCookie } from '../signed-cookie.ts';
import type { BrowserNote } from './resumed.ts';

/** The sign-in that oidc-provider is about to carry out. */
export interface PendingLogin {
  readonly accountId: string;
  /** The time of the user's authentication, in seconds since the epoch. */
  readonly authenticatedAt: number | undefined;
  /** Present if a phone approved. */
  readonly note: BrowserNote | undefined;
}

/**
 * Returns the interaction that oidc-provider will resume in answer to this request, or undefined if there is none or it
 * has no result yet.
 */
export async function findResumingInteraction(provider: Provider, ctx: Context): Promise<Interaction | undefined> {
  // The cookie's path is that of the URL that resumes the interaction.
  const uid = readProviderCookie(provider, ctx, 'resume');
  const interaction = uid === undefined ? undefined : await provider.Interaction.find(uid);
  return interaction?.result === undefined ? undefined : interaction;
}

/**
 * Returns the sign-in in the result of an interaction; undefined if there is none, or if it comes from the deployment's
 * own pages, which make their own checks.
 */
export function findPendingLogin({ result }: Interaction): PendingLogin | undefined {
  const login = result?.login;
  if (typeof login?.replaces !== 'string') return undefined;
  return { accountId: login.accountId, authenticatedAt: login.ts, note: login.browser as BrowserNote | undefined };
}

/** Returns true if the phone's sign-in has become older than the request allows (`max_age`) since it approved. */
export function isOutdated({ params }: Interaction, { authenticatedAt, note }: PendingLogin, now: number): boolean {
  if (note === undefined || authenticatedAt === undefined) return false;
  const maxAge = Number(params.max_age ?? Number.NaN);
  const { forTicket } = note;
  if (Number.isNaN(maxAge)) return false;
  return !isFreshEnough({ maxAge }, { authenticatedAt, ...(forTicket && { forTicket }) }, now);
}

/** Replaces the result of an interaction by an error, which oidc-provider then sends to the RP. */
export async function refuseResume(interaction: Interaction, because: RefusalReason): Promise<void> {
  interaction.result = refusalFor(because);
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
}
