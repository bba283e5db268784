import type { Provider } from 'oidc-provider';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { AppGrant } from '../../ticket/ticket.ts';
import { clientsOf, type SessionClient } from '../session-clients.ts';
import { durationOf } from './session-lifetimes.ts';
import { methodOf, type SignInMethod } from './sign-in-method.ts';

/** A session at the provider, as its user sees it in a list. */
export interface SessionFacts {
  readonly clients: readonly SessionClient[];
  readonly signedInBy: SignInMethod;
  /** The user's choice, if there was one. */
  readonly duration?: Duration;
  /** The time at which it ends if it is not used again, in milliseconds since the epoch. */
  readonly endsAt: number;
}

interface SessionOwner {
  readonly accountId: string;
  readonly sessionUid: string;
}

/** Returns the facts about a session; undefined if it has ended, or belongs to another account by now. */
export async function findSessionFacts(
  provider: Provider,
  { accountId, sessionUid }: SessionOwner,
): Promise<SessionFacts | undefined> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session?.accountId !== accountId) return undefined;
  const duration = durationOf(session);
  return {
    clients: await clientsOf(provider, session),
    signedInBy: methodOf(session.amr),
    ...(duration !== undefined && { duration }),
    endsAt: session.exp * 1000,
  };
}

/** Returns the way in which the account was signed in, or undefined if there is no such session any more. */
export async function findSignInMethod(
  provider: Provider,
  { accountId, sessionUid }: SessionOwner,
): Promise<SignInMethod | undefined> {
  const session = await provider.Session.findByUid(sessionUid);
  return session?.accountId === accountId ? methodOf(session.amr) : undefined;
}

/** Returns true if an app was granted its access in this session. */
export async function hasGranted(
  provider: Provider,
  sessionUid: string,
  { clientId, grantId }: Pick<AppGrant, 'clientId' | 'grantId'>,
): Promise<boolean> {
  const session = await provider.Session.findByUid(sessionUid);
  return session?.authorizations?.[clientId]?.grantId === grantId;
}
