import type { Client, Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { Interaction } from './interaction.ts';
import { text } from './request/parameters.ts';
import { toReadableText } from './request/readable-text.ts';

/**
 * Returns the client that made the authorization request.
 * @throws QrLoginError `no_interaction` if the client is not registered any more
 */
export async function findRequestingClient(provider: Provider, { params }: Interaction): Promise<Client> {
  const client = await provider.Client.find(String(params.client_id));
  if (client === undefined) throw new QrLoginError('no_interaction', 'The app that asked is not registered any more.');
  return client;
}

/** Returns the name of the client as it is shown to users: its id if nothing of its name can be seen. */
export function clientNameOf({ clientId, clientName = '' }: Client): string {
  return toReadableText(clientName) || toReadableText(clientId);
}

/** Returns the address of the client's logo; empty if it is not https, because an app loads it. */
export function logoOf({ logoUri }: Client): { readonly logoUri?: string } {
  return logoUri !== undefined && /^https:/i.test(logoUri) ? { logoUri } : {};
}

/** Returns the shown name of the client of an interaction; its id if it is not registered any more. */
export async function findClientName(provider: Provider, { params }: Interaction): Promise<string> {
  const id = String(params.client_id);
  const client = await provider.Client.find(id);
  return client === undefined ? toReadableText(id) : clientNameOf(client);
}

/**
 * Returns the host that the response goes to. The provider has matched the redirect URI with the client's registered
 * ones, so unlike a client's name it cannot be made up. For a native app's own scheme (RFC 8252, section 7.1) it
 * returns only the scheme, because the rest of the URI is arbitrary text.
 */
export function verifiedHost(redirectUri: unknown): string | undefined {
  const uri = text(redirectUri);
  if (uri === undefined || !URL.canParse(uri)) return undefined;
  const { host, protocol } = new URL(uri);
  return isWeb(uri) ? host : protocol;
}

/** Returns the origin that the response goes to, or undefined if that is not a website. */
export function siteOf(redirectUri: unknown): string | undefined {
  const uri = text(redirectUri);
  return uri !== undefined && URL.canParse(uri) && isWeb(uri) ? new URL(uri).origin : undefined;
}

/**
 * Returns the URL at which a user can start again at the client: the one that the client has registered for this, or
 * the site that the response goes to. Undefined if there is none, or if the client is not registered any more.
 * @param site as {@link siteOf} returns it
 */
export async function findClientHome(
  provider: Provider,
  clientId: string,
  site: string | undefined,
): Promise<string | undefined> {
  const client = await provider.Client.find(clientId);
  return client && [client.initiateLoginUri, client.clientUri, site].find((uri) => uri !== undefined && isWeb(uri));
}

function isWeb(uri: string): boolean {
  return /^https?:/i.test(uri);
}
