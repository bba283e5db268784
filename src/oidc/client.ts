import type { Client, Provider } from 'oidc-provider';
import { QrLoginError } from '../ticket/errors.ts';
import type { Interaction } from './interaction.ts';
import { toReadableText } from './parameters.ts';

/**
 * Returns the client that made the authorization request.
 * @throws QrLoginError `no_interaction` if the client is not registered any more
 */
export async function findRequestingClient(provider: Provider, { params }: Interaction): Promise<Client> {
  const client = await provider.Client.find(String(params.client_id));
  if (client === undefined) throw new QrLoginError('no_interaction', 'The app that asked is not registered any more.');
  return client;
}

/**
 * Returns the name of the client as users are shown it, or an empty text if it has none or is not registered any more.
 */
export async function findClientName(provider: Provider, { params }: Interaction): Promise<string> {
  const client = await provider.Client.find(String(params.client_id));
  return toReadableText(client?.clientName ?? '');
}

/**
 * Returns the URL where a user can start again at the client, or undefined if the client is not registered any more.
 */
export async function findClientHome(provider: Provider, clientId: string): Promise<string | undefined> {
  const client = await provider.Client.find(clientId);
  return client && clientHome(client);
}

/**
 * Returns the URL where a user can start again: the one that the client registered for this, or the origin of its
 * redirect URI.
 */
function clientHome({ initiateLoginUri, clientUri, redirectUris = [] }: Client): string | undefined {
  const [site] = redirectUris.filter((uri) => /^https?:/.test(uri)).map((uri) => new URL(uri).origin);
  return [initiateLoginUri, clientUri, site].find((uri) => uri !== undefined && /^https?:/.test(uri));
}
