import { type Client, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { clientNameOf, verifiedHost } from './client.ts';

/** An RP that knows of a session. */
export interface SessionClient {
  readonly id: string;
  readonly name: string;
  /**
   * The hosts that the answers to its requests went to in this session, the latest first, verified by the provider. For
   * a native app, the scheme of the redirect URI takes the place of the host. Empty if none is known.
   */
  readonly hosts: readonly string[];
}

/** The most hosts of one client that a session remembers. */
const MAX_HOSTS = 5;

type Session = NonNullable<Awaited<ReturnType<Provider['Session']['findByUid']>>>;

/** The entry of a client in a session of oidc-provider, with the hosts that this plugin adds to it. */
interface ClientEntry {
  readonly grantId?: string | undefined;
  hosts?: readonly string[];
}

/**
 * Notes in a session the hosts to which the answers for its clients went. A client may have registered many redirect
 * URIs, so its registration does not show which one was used. The note ends with the session, which oidc-provider saves
 * after this.
 */
export function noteHosts(provider: Provider): void {
  provider.on('authorization.success', ({ oidc }: KoaContextWithOIDC) => {
    const host = verifiedHost(oidc.params?.redirect_uri);
    const clientId = oidc.client?.clientId;
    if (host === undefined || clientId === undefined || oidc.session?.accountId === undefined) return;
    const entry = entryOf(oidc.session, clientId);
    if (entry !== undefined) entry.hosts = [host, ...hostsOf(entry).filter((one) => one !== host)].slice(0, MAX_HOSTS);
  });
}

/** Returns true if an account is signed in to this client in the session. */
export function isSignedInTo(session: Pick<Session, 'accountId' | 'authorizations'>, clientId: string): boolean {
  return session.accountId !== undefined && session.authorizations?.[clientId] !== undefined;
}

function entryOf(session: Session, clientId: string): ClientEntry | undefined {
  return session.authorizations?.[clientId];
}

function hostsOf({ hosts = [] }: ClientEntry = {}): readonly string[] {
  return hosts;
}

/**
 * Returns a client as it is registered now, or undefined if it is not registered any more or its metadata does not fit
 * the provider's configuration.
 */
export async function findClient(provider: Provider, clientId: string): Promise<Client | undefined> {
  try {
    return await provider.Client.find(clientId);
  } catch (error) {
    if (error instanceof errors.InvalidClient || error instanceof errors.InvalidClientMetadata) return undefined;
    throw error;
  }
}

/** Returns the RPs of a browser's session. */
export async function clientsOf(provider: Provider, session: Session): Promise<SessionClient[]> {
  const clients = await Promise.all(Object.keys(session.authorizations ?? {}).map((id) => findClient(provider, id)));
  return clients.flatMap((client) => {
    if (client === undefined) return [];
    const { clientId: id } = client;
    return { id, name: clientNameOf(client), hosts: hostsOf(entryOf(session, id)) };
  });
}
