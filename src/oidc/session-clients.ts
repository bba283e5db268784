import { type Client, errors, type Provider } from 'oidc-provider';
import { toReadableText } from './parameters.ts';

/** An RP that knows of a session. */
export interface SessionClient {
  readonly id: string;
  readonly name: string;
  /** The host of its redirect URI, which the provider verifies. */
  readonly host?: string;
}

/**
 * Returns a client as it is registered now, or undefined if it is not registered any more or its metadata does not fit
 * the provider's configuration.
 */
export async function clientIfAny(provider: Provider, clientId: string): Promise<Client | undefined> {
  try {
    return await provider.Client.find(clientId);
  } catch (error) {
    if (error instanceof errors.InvalidClient || error instanceof errors.InvalidClientMetadata) return undefined;
    throw error;
  }
}

/**
 * Returns the RPs of a browser's session, or undefined if the session has ended or belongs to another account by now.
 */
export async function sessionClients(
  provider: Provider,
  { accountId, sessionUid }: { readonly accountId: string; readonly sessionUid: string },
): Promise<SessionClient[] | undefined> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session?.accountId !== accountId) return undefined;
  const clients = await Promise.all(Object.keys(session.authorizations ?? {}).map((id) => clientIfAny(provider, id)));
  return clients.flatMap((client) => {
    if (client === undefined) return [];
    const site = client.redirectUris?.find((uri) => /^https?:/.test(uri));
    return {
      id: client.clientId,
      name: toReadableText(client.clientName || client.clientId),
      ...(site !== undefined && { host: new URL(site).host }),
    };
  });
}
