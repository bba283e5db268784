import type { Provider } from 'oidc-provider';
import { readable } from './parameters.ts';

/** An RP that knows of a session. */
export interface SessionClient {
  readonly id: string;
  readonly name: string;
  /** Where its answers go, as the provider verifies it. */
  readonly host?: string;
}

/** The RPs of a browser's session; undefined where that has ended, or is another account's by now. */
export async function sessionClients(
  provider: Provider,
  { accountId, sessionUid }: { readonly accountId: string; readonly sessionUid: string },
): Promise<SessionClient[] | undefined> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session?.accountId !== accountId) return undefined;
  const clients = await Promise.all(Object.keys(session.authorizations ?? {}).map((id) => provider.Client.find(id)));
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
