import type { Context } from 'koa';
import type { Client, Provider } from 'oidc-provider';
import { within } from '../stores/access.ts';
import { QrLoginError } from '../ticket/errors.ts';
import { aside } from './aside.ts';
import { clientIfAny } from './session-clients.ts';

/** How often a request of the browser that is under way may bring the session back at this very moment. */
const MOST_TRIES = 5;
/** How long an RP may take to answer, in milliseconds: a little longer than oidc-provider's own patience. */
const RP_PATIENCE = 3_000;

export interface EndedSession {
  /** The clients that knew of the session. */
  readonly clientIds: readonly string[];
  /** Those of them that are told when a session ends, and did not answer: known once all have, or were given up. */
  readonly unreached: Promise<readonly string[]>;
}

type Session = InstanceType<Provider['Session']>;

/** A client as oidc-provider has it; its types leave this out. */
interface ToldOfLogout extends Client {
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>;
}

/**
 * Ends a session at the provider from elsewhere: tells its RPs (OIDC Back-Channel Logout 1.0), revokes all that was granted in it,
 * `offline_access` as well, and destroys it. Nothing of that waits for an RP.
 * @returns undefined where there is no such session of this account
 * @throws QrLoginError `store_unavailable` where it may not have ended; then it can be done again
 */
export async function endSession(
  provider: Provider,
  ctx: Context,
  { accountId, sessionUid }: { readonly accountId: string; readonly sessionUid: string },
): Promise<EndedSession | undefined> {
  const told = new Map<string, Promise<boolean>>();
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const session = await provider.Session.findByUid(sessionUid);
    // A request of the browser that was under way may have saved it again: nothing but looking tells.
    if (session?.accountId !== accountId) return tries === 0 ? undefined : ended(told);
    await endOnce(provider, ctx, session, told);
  }
  throw new QrLoginError('store_unavailable', 'That session is in use at this very moment. Try again.');
}

async function endOnce(
  provider: Provider,
  ctx: Context,
  session: Session,
  told: Map<string, Promise<boolean>>,
): Promise<void> {
  const authorizations = Object.entries(session.authorizations ?? {});
  const clients = await Promise.all(authorizations.map(([clientId]) => clientIfAny(provider, clientId)));
  for (const [index, [clientId, { sid }]] of authorizations.entries()) {
    // First, and beside the rest: where the store fails from here on, it is done again, and an RP hears twice.
    if (!told.has(clientId)) told.set(clientId, tell(provider, ctx, { client: clients[index], session, sid }));
  }
  const grants = authorizations.flatMap(([, { grantId }]) => grantId ?? []);
  await Promise.all(grants.map((grantId) => revoke(provider, ctx, grantId)));
  await session.destroy();
}

function ended(told: ReadonlyMap<string, Promise<boolean>>): EndedSession {
  const answers = [...told].map(async ([clientId, reached]) => ((await reached) ? [] : [clientId]));
  return { clientIds: [...told.keys()], unreached: Promise.all(answers).then((lost) => lost.flat()) };
}

/** @returns whether all is well: false for an RP that wants to be told, and did not take it */
async function tell(
  provider: Provider,
  ctx: Context,
  { client, session, sid }: { client: Client | undefined; session: Session; sid: string | undefined },
): Promise<boolean> {
  if (client === undefined || !wantsToBeTold(client)) return true;
  const { accountId = '' } = session;
  try {
    await within(client.backchannelLogout(accountId, sid), RP_PATIENCE);
  } catch (error) {
    aside(() => provider.emit('backchannel.error', ctx, error, client, accountId, sid));
    return false;
  }
  aside(() => provider.emit('backchannel.success', ctx, client, accountId, sid));
  return true;
}

function wantsToBeTold(client: Client): client is ToldOfLogout {
  return client.backchannelLogoutUri !== undefined && 'backchannelLogout' in client;
}

/** Whose tokens belong to a grant. Not every version of oidc-provider has the last one. */
const OF_A_GRANT = [
  'AccessToken',
  'RefreshToken',
  'AuthorizationCode',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
] as const;

interface OfAGrant {
  revokeByGrantId(grantId: string): Promise<void>;
}

/** The grant first: whatever is just being issued under it is worth nothing from then on. */
async function revoke(provider: Provider, ctx: Context, grantId: string): Promise<void> {
  await (await provider.Grant.find(grantId))?.destroy();
  const models: Partial<Record<(typeof OF_A_GRANT)[number], OfAGrant>> = provider;
  await Promise.all(OF_A_GRANT.map((model) => models[model]?.revokeByGrantId(grantId)));
  aside(() => provider.emit('grant.revoked', ctx, grantId));
}
