import type { Context } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import { providersCookie } from './signed-cookie.ts';

/** A pending authorization request, as oidc-provider keeps it. */
export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The interaction that this browser's cookie names, if it is the one of the URL. */
export async function interactionOf(provider: Provider, ctx: Context, uid: string): Promise<Interaction> {
  const interaction =
    (await unbound(provider, ctx)) ?? (await found(() => provider.interactionDetails(ctx.req, ctx.res)));
  if (interaction.uid !== uid) throw noInteraction();
  return interaction;
}

/**
 * An interaction that began without a session: its cookie is all that oidc-provider would look at, with three times the work.
 * Whatever is not good at first sight is for oidc-provider to judge.
 */
async function unbound(provider: Provider, ctx: Context): Promise<Interaction | undefined> {
  const id = providersCookie(provider, ctx, 'interaction');
  const interaction = id === undefined ? undefined : await provider.Interaction.find(id);
  return interaction?.session?.uid === undefined ? interaction : undefined;
}

/** Of the interaction that this browser's cookie names; undefined where there is none. */
export async function interactionUid(provider: Provider, ctx: Context): Promise<string | undefined> {
  const interaction = await found(() => provider.interactionDetails(ctx.req, ctx.res)).catch((error: unknown) => {
    if (error instanceof QrLoginError && error.code === 'no_interaction') return undefined;
    throw error;
  });
  return interaction?.uid;
}

/** Ends the interaction with what came out of it. @returns where the browser goes next */
export async function endInteraction(
  provider: Provider,
  ctx: Context,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<string> {
  // Consent comes on top of the sign-in before it; a sign-in stands for itself.
  const mergeWithLastSubmission = result.login === undefined && result.consent !== undefined;
  return goingOn(
    provider,
    await found(() => provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission })),
  );
}

/** Where an interaction goes on, at the issuer: the `Host` of the request that began it may have been forged. */
export function goingOn({ issuer }: Provider, returnTo: string): string {
  const { pathname, search } = new URL(returnTo);
  return new URL(pathname + search, issuer).href;
}

async function found<T>(lookUp: () => Promise<T>): Promise<T> {
  try {
    return await lookUp();
  } catch (error) {
    if (error instanceof errors.SessionNotFound) throw noInteraction(error);
    throw error;
  }
}

/** A step belongs to one prompt. */
export function assertPrompt({ prompt }: Interaction, name: 'login' | 'consent'): void {
  if (prompt.name === name) return;
  throw new QrLoginError('wrong_state', 'This is not what the sign-in waits for. Load the page again.');
}

/** There is no pending request for this browser at this URL (any more). */
export function noInteraction(cause?: Error): QrLoginError {
  return new QrLoginError(
    'no_interaction',
    'This sign-in has timed out, or it was started in another browser. Go back to the app and sign in again.',
    { cause },
  );
}
