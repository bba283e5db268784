import type { Provider } from 'oidc-provider';
import type { SignInRequest } from '../../ticket/ticket.ts';
import { clientNameOf, logoOf, verifiedHost } from '../client.ts';

/**
 * Returns the client that asks for an action, as the phone shows it; undefined if it is not registered (any more). Its
 * host is shown if all of its registered redirect URIs have the same one. Nothing is sent to that host before the user
 * decides, so the host proves no more than the client's registration does.
 */
export async function describeRequester(
  provider: Provider,
  clientId: string,
): Promise<SignInRequest['client'] | undefined> {
  const client = await provider.Client.find(clientId);
  if (client === undefined) return undefined;
  const hosts = new Set((client.redirectUris ?? []).map(verifiedHost));
  const [host] = hosts.size === 1 ? hosts : [];
  return { id: clientId, name: clientNameOf(client), ...(host !== undefined && { host }), ...logoOf(client) };
}

/** Returns true if the client has registered a redirect URI, or a post-logout redirect URI, with this URL's origin. */
export async function isOwnUrl(provider: Provider, clientId: string, url: string): Promise<boolean> {
  const client = await provider.Client.find(clientId);
  const registered = [...(client?.redirectUris ?? []), ...(client?.postLogoutRedirectUris ?? [])];
  return URL.canParse(url) && registered.some((uri) => isSameOrigin(uri, url));
}

function isSameOrigin(uri: string, url: string): boolean {
  const { origin, protocol } = new URL(url);
  return /^https?:$/.test(protocol) && URL.canParse(uri) && new URL(uri).origin === origin;
}
