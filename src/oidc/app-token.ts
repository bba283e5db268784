import type { Client, Provider } from 'oidc-provider';
import type { AppGrant } from '../ticket/ticket.ts';
import { readAuthentication } from './app-authentication.ts';
import { APP_SCOPE, AppChallenge, invalidToken } from './app-challenge.ts';
import { findGrantedClient, type PhoneAuthentication } from './approver.ts';
import { clientNameOf } from './client.ts';

/** An app, as it is registered with the provider. */
export interface App {
  /** Its `client_id`. */
  readonly id: string;
  readonly name: string;
  /** The origins from which its pages may read answers: those of its redirect URIs. */
  readonly origins: readonly string[];
  /** True for a client of the `application_type` "native". */
  readonly isNative: boolean;
}

/** The access of an app to an account, as its token says and as the provider knows it at this moment. */
export interface AppAccess {
  readonly app: App;
  readonly grant: AppGrant;
  readonly authentication: PhoneAuthentication;
  /** The end of the token, in milliseconds since the epoch. */
  readonly endsAt: number;
}

/**
 * Returns the access that a token gives.
 * @param keyId the thumbprint of the key that the sender has proven to hold
 * @throws QrLoginError `invalid_token` if the token is unknown, expired, revoked, not bound to this key or made for a
 *   resource, or if its grant or client is gone; `insufficient_scope`
 */
export async function findAppAccess(provider: Provider, accessToken: string, keyId: string): Promise<AppAccess> {
  // Checks the expiry, and that the session still exists if the token is bound to one.
  const token = await provider.AccessToken.find(accessToken);
  if (token?.exp === undefined) throw invalidToken('The access token is not valid (any more). Get another one.');
  if (token.jkt !== keyId)
    throw invalidToken(
      'The access token is not bound to the key of the proof. Send the proof with the key of the token.',
    );
  if (token.aud !== undefined)
    throw invalidToken('The access token was made for another resource. Ask for one without "resource".');
  if (!token.scopes.has(APP_SCOPE))
    throw new AppChallenge('insufficient_scope', `The access token needs the scope ${APP_SCOPE}.`, {
      parameters: { scope: APP_SCOPE },
    });
  const { accountId, clientId = '', grantId, sessionUid, expiresWithSession } = token;
  const boundTo = expiresWithSession ? sessionUid : undefined;
  const grant = { clientId, grantId, keyId, ...(boundTo !== undefined && { boundTo }) };
  // `find` has checked the session already.
  const client = await findGrantedClient(provider, accountId, { clientId, grantId });
  if (client === undefined) throw invalidToken('The access of this app was ended. Let the user sign in again.');
  const authentication = readAuthentication(token);
  return { app: describeApp(client), grant, authentication, endsAt: token.exp * 1000 };
}

function describeApp(client: Client): App {
  const { clientId, redirectUris = [], applicationType } = client;
  return {
    id: clientId,
    name: clientNameOf(client),
    origins: redirectUris.flatMap((uri) => originOf(uri) ?? []),
    isNative: applicationType === 'native',
  };
}

/** Returns the origin of a URI as a browser writes it in the header, also for a scheme such as `capacitor:`. */
function originOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, host } = new URL(uri);
  return host === '' ? undefined : `${protocol}//${host}`;
}
