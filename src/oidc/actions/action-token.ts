import type { Client, Provider } from 'oidc-provider';
import { QrLoginError } from '../../ticket/errors.ts';
import { AppChallenge, invalidToken } from '../apps/app-challenge.ts';
import { findClient } from '../session-clients.ts';

/** The scope that a client needs to ask for actions. */
export const ACTION_SCOPE = 'qr_action';

/** A client that may ask for actions. */
export interface ActionAccess {
  readonly clientId: string;
  /** The account whose user has granted the token; undefined for a token of the client's own (RFC 6749, section 4.4). */
  readonly accountId: string | undefined;
  /** The thumbprint of the key that the token is bound to (RFC 9449); undefined for a bearer token. */
  readonly keyId: string | undefined;
}

type Token = InstanceType<Provider['AccessToken']> | InstanceType<Provider['ClientCredentials']>;

/**
 * Returns the access that a token gives.
 * @throws QrLoginError `invalid_token` if it is unknown, expired, revoked, bound to a certificate, or made for a
 *   resource, or if its grant or client is gone; `insufficient_scope`
 */
export async function findActionAccess(provider: Provider, accessToken: string): Promise<ActionAccess> {
  const token: Token | undefined =
    (await provider.AccessToken.find(accessToken)) ?? (await provider.ClientCredentials.find(accessToken));
  if (token === undefined) throw invalidToken('The access token is not valid (any more). Get another one.');
  if (token.aud !== undefined)
    throw invalidToken('The access token was made for another resource. Ask for one without "resource".');
  if (token['x5t#S256'] !== undefined)
    throw invalidToken('The access token is bound to a certificate, which is not checked here. Use DPoP or Bearer.');
  if (!token.scopes.has(ACTION_SCOPE))
    throw new AppChallenge('insufficient_scope', `The access token needs the scope ${ACTION_SCOPE}.`, {
      parameters: { scope: ACTION_SCOPE },
    });
  const client = await findTokenClient(provider, token);
  if (client === undefined) throw invalidToken('The access of this client was ended. Get another access token.');
  const { clientId } = client;
  return { clientId, accountId: 'accountId' in token ? token.accountId : undefined, keyId: token.jkt };
}

/** Returns the client of a token, or undefined if the client or the grant is gone. */
async function findTokenClient(provider: Provider, token: Token): Promise<Client | undefined> {
  const { clientId = '' } = token;
  if (!('grantId' in token)) return findClient(provider, clientId);
  const [client, grant] = await Promise.all([findClient(provider, clientId), provider.Grant.find(token.grantId)]);
  return grant?.clientId === clientId && grant.accountId === token.accountId ? client : undefined;
}

/**
 * Returns the subject of an `id_token_hint` of this client.
 * @throws QrLoginError `invalid_request` if it is not an ID token of this provider for this client
 */
export async function readSubjectHint(provider: Provider, clientId: string, hint: string): Promise<string> {
  const client = await findClient(provider, clientId);
  const validated = client && (await provider.IdToken.validate(hint, client).catch(() => undefined));
  const sub: unknown = validated?.payload.sub;
  if (typeof sub === 'string') return sub;
  throw new QrLoginError('invalid_request', '"id_token_hint" must be an ID token that this client got here.');
}
