import type { Context } from 'koa';
import type { Client, Provider } from 'oidc-provider';
import { withDeadline } from '../stores/deadline.ts';
import { QrLoginError } from '../ticket/errors.ts';
import { callListener } from './call-listener.ts';
import { findClient } from './session-clients.ts';

/**
 * The number of attempts to end a session. A concurrent request of the browser may save the session again after each.
 */
const MAX_TRIES = 5;
/** The time that an RP may take to answer: a little longer than oidc-provider's own timeout. */
const RP_TIMEOUT_MS = 3_000;

export interface EndedSession {
  /** The clients that knew of the session. */
  readonly clientIds: readonly string[];
  /** The clients that requested a notification and did not answer. Resolves once all have answered or timed out. */
  readonly unreached: Promise<readonly string[]>;
}

type Session = InstanceType<Provider['Session']>;

/** A client with the method of oidc-provider that its types leave out. */
interface BackchannelLogoutClient extends Client {
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>;
}

/**
 * Ends a session at the provider from another device: notifies its RPs (OIDC Back-Channel Logout 1.0), revokes
 * everything that was granted in it, including `offline_access`, and destroys it. It does not wait for the RPs.
 * @returns undefined if this account has no such session
 * @throws QrLoginError `store_unavailable` if it is not certain that the session has ended; repeat the call then
 */
export async function endSession(
  provider: Provider,
  ctx: Context,
  { accountId, sessionUid }: { readonly accountId: string; readonly sessionUid: string },
): Promise<EndedSession | undefined> {
  const notifications = new Map<string, Promise<boolean>>();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const session = await provider.Session.findByUid(sessionUid);
    // A concurrent request of the browser may have saved the session again, so it must be read again.
    if (session?.accountId !== accountId) return tries === 0 ? undefined : toEndedSession(notifications);
    await endOnce(provider, ctx, session, notifications);
  }
  throw new QrLoginError('store_unavailable', 'That session is in use at this very moment. Try again.');
}

async function endOnce(
  provider: Provider,
  ctx: Context,
  session: Session,
  notifications: Map<string, Promise<boolean>>,
): Promise<void> {
  const authorizations = Object.entries(session.authorizations ?? {});
  const clients = await Promise.all(authorizations.map(([clientId]) => findClient(provider, clientId)));
  for (const [index, [clientId, { sid }]] of authorizations.entries()) {
    // Notify before anything is revoked, and in parallel. If the store fails after this, the caller repeats the call,
    // and the RPs are notified again.
    if (!notifications.has(clientId))
      notifications.set(clientId, notifyClient(provider, ctx, { client: clients[index], session, sid }));
  }
  const grants = authorizations.flatMap(([, { grantId }]) => grantId ?? []);
  await Promise.all(grants.map((grantId) => revokeGrant(provider, ctx, grantId)));
  await session.destroy();
}

function toEndedSession(notifications: ReadonlyMap<string, Promise<boolean>>): EndedSession {
  const answers = [...notifications].map(async ([clientId, reached]) => ((await reached) ? [] : [clientId]));
  return { clientIds: [...notifications.keys()], unreached: Promise.all(answers).then((lost) => lost.flat()) };
}

/** Notifies an RP. @returns false if the RP requested a notification and did not accept it; otherwise true */
async function notifyClient(
  provider: Provider,
  ctx: Context,
  { client, session, sid }: { client: Client | undefined; session: Session; sid: string | undefined },
): Promise<boolean> {
  if (client === undefined || !requestsNotification(client)) return true;
  const { accountId = '' } = session;
  try {
    await withDeadline(client.backchannelLogout(accountId, sid), RP_TIMEOUT_MS);
  } catch (error) {
    callListener(() => provider.emit('backchannel.error', ctx, error, client, accountId, sid));
    return false;
  }
  callListener(() => provider.emit('backchannel.success', ctx, client, accountId, sid));
  return true;
}

function requestsNotification(client: Client): client is BackchannelLogoutClient {
  return client.backchannelLogoutUri !== undefined && 'backchannelLogout' in client;
}

/** The models with tokens that belong to a grant. Not every version of oidc-provider has the last one. */
const GRANT_MODELS = [
  'AccessToken',
  'RefreshToken',
  'AuthorizationCode',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
] as const;

interface GrantModel {
  revokeByGrantId(grantId: string): Promise<void>;
}

/**
 * Revokes a grant and its tokens. The grant goes first, so that a token that is just being issued under it is not
 * valid.
 */
export async function revokeGrant(provider: Provider, ctx: Context, grantId: string): Promise<void> {
  await (await provider.Grant.find(grantId))?.destroy();
  const models: Partial<Record<(typeof GRANT_MODELS)[number], GrantModel>> = provider;
  await Promise.all(GRANT_MODELS.map((model) => models[model]?.revokeByGrantId(grantId)));
  callListener(() => provider.emit('grant.revoked', ctx, grantId));
}
