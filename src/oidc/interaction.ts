import type { Context } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import { BROWSER_PASSKEY } from './browser-passkey-prompt.ts';
import { readProviderCookie } from './signed-cookie.ts';

/** A pending authorization request, as oidc-provider stores it. */
export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/**
 * Returns the interaction that this browser's cookie names.
 * @throws QrLoginError `no_interaction` if there is none, or if it is not the one of the URL
 */
export async function interactionOf(provider: Provider, ctx: Context, uid: string): Promise<Interaction> {
  const interaction =
    (await findUnbound(provider, ctx)) ?? (await lookUp(() => provider.interactionDetails(ctx.req, ctx.res)));
  if (interaction.uid !== uid) throw noInteraction();
  return interaction;
}

/**
 * Returns an interaction that began without a session. oidc-provider would check only the cookie of such
 * an interaction, with three times the work. Returns undefined in all other cases; the caller then asks oidc-provider.
 */
async function findUnbound(provider: Provider, ctx: Context): Promise<Interaction | undefined> {
  const id = readProviderCookie(provider, ctx, 'interaction');
  const interaction = id === undefined ? undefined : await provider.Interaction.find(id);
  return interaction?.session?.uid === undefined ? interaction : undefined;
}

/** Returns the uid of the interaction that this browser's cookie names, or undefined if there is none. */
export async function findInteractionUid(provider: Provider, ctx: Context): Promise<string | undefined> {
  const interaction = await lookUp(() => provider.interactionDetails(ctx.req, ctx.res)).catch((error: unknown) => {
    if (error instanceof QrLoginError && error.code === 'no_interaction') return undefined;
    throw error;
  });
  return interaction?.uid;
}

/**
 * Ends the interaction with its result.
 * @returns the URL where the browser goes next
 */
export async function endInteraction(
  provider: Provider,
  ctx: Context,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<string> {
  // A consent and a passkey are added to the result of the sign-in before them; a sign-in starts a new result.
  const mergeWithLastSubmission =
    result.login === undefined && (result.consent !== undefined || result[BROWSER_PASSKEY] !== undefined);
  return makeResumeUrl(
    provider,
    await lookUp(() => provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission })),
  );
}

/**
 * Returns the URL that resumes an interaction, on the issuer's origin, because the `Host` of the request that began the
 * interaction may have been forged.
 */
export function makeResumeUrl({ issuer }: Provider, returnTo: string): string {
  const { pathname, search } = new URL(returnTo);
  return new URL(pathname + search, issuer).href;
}

/** Calls oidc-provider and turns its `SessionNotFound` into `no_interaction`. */
async function lookUp<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof errors.SessionNotFound) throw noInteraction(error);
    throw error;
  }
}

/** The prompts that the plugin's pages answer. */
export type PluginPrompt = 'login' | 'consent' | typeof BROWSER_PASSKEY;

/**
 * Ensures that the interaction is at this prompt, because each step belongs to one prompt.
 * @throws QrLoginError `wrong_state` if it is at another one
 */
export function assertPrompt({ prompt }: Interaction, name: PluginPrompt): void {
  if (prompt.name === name) return;
  throw new QrLoginError('wrong_state', 'The sign-in is at another step. Load the page again.');
}

/** Returns the error for a browser that has no pending request at this URL (any more). */
export function noInteraction(cause?: Error): QrLoginError {
  return new QrLoginError(
    'no_interaction',
    'This sign-in has timed out, or it was started in another browser. Go back to the app and sign in again.',
    { cause },
  );
}
