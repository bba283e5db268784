import { type Client, errors, type Provider } from 'oidc-provider';
import { readable } from './parameters.ts';

/** An RP that knows of a session. */
export interface SessionClient {
  readonly id: string;
  readonly name: string;
  /** Where its answers go, as the provider verifies it. */
  readonly host?: string;
}

/** A client as it is registered now; undefined where it is not any more, or not as the provider's configuration wants it. */
export async function clientIfAny(provider: Provider, clientId: string): Promise<Client | undefined> {
  try {
    return await provider.Client.find(clientId);
  } catch (error) {
    if (error instanceof errors.InvalidClient || error instanceof errors.InvalidClientMetadata) return undefined;
    throw error;
  }
}

/** The RPs of a browser's session; undefined where that has ended, or is another account's by now. */
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
      name: readable(client.clientName || client.clientId),
      ...(site !== undefined && { host: new URL(site).host }),
    };
  });
}
