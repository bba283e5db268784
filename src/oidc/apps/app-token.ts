import type { JWK } from 'jose';
import type { Client, Provider } from 'oidc-provider';
import type { AppGrant } from '../../ticket/ticket.ts';
import { findGrantedClient, type PhoneAuthentication } from '../approver.ts';
import { clientNameOf } from '../client.ts';
import { readAuthentication } from './app-authentication.ts';
import { APP_SCOPE, AppChallenge, invalidToken } from './app-challenge.ts';

/** An app, as it is registered with the provider. */
export interface App {
  /** Its `client_id`. */
  readonly id: string;
  readonly name: string;
  /** The origins from which its pages may read answers: those of its redirect URIs. */
  readonly origins: readonly string[];
  /** True for a client of the `application_type` "native". */
  readonly isNative: boolean;
  /** The public keys that it has registered (`jwks`, RFC 7591, section 2). */
  readonly keys: readonly JWK[];
}

/** The access of an app to an account, as its token says and as the provider knows it at this moment. */
export interface AppAccess {
  readonly app: App;
  readonly grant: AppGrant;
  readonly authentication: PhoneAuthentication;
  /** The end of the token, in milliseconds since the epoch. */
  readonly endsAt: number;
}

type AccessToken = InstanceType<Provider['AccessToken']>;

/** Checks the access tokens of apps, each time that one is sent. */
export class AppTokens {
  readonly #provider: Provider;

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  /**
   * Returns the access that a token gives.
   * @param keyId the thumbprint of the key that the sender has proven to hold
   * @throws QrLoginError `invalid_token` if the token is unknown, expired, revoked, not bound to this key or made for a
   *   resource, or if its grant or client is gone; `insufficient_scope`
   */
  async find(accessToken: string, keyId: string): Promise<AppAccess> {
    // `find` also checks the expiry, and that the session still exists if the token is bound to one.
    const token = await this.#provider.AccessToken.find(accessToken);
    if (token?.exp === undefined) throw invalidToken('The access token is not valid (any more). Get another one.');
    this.assertBound(token, keyId);
    this.assertAudience(token);
    this.assertScope(token);
    const client = await this.findClient(token);
    if (client === undefined) throw invalidToken('The access of this app was ended. Let the user sign in again.');
    const { clientId = '', grantId, sessionUid, expiresWithSession } = token;
    const boundTo = expiresWithSession ? sessionUid : undefined;
    return {
      app: describeApp(client),
      grant: { clientId, grantId, keyId, ...(boundTo !== undefined && { boundTo }) },
      authentication: readAuthentication(token),
      endsAt: token.exp * 1000,
    };
  }

  /** Ensures that the token is bound to this key. A sender with another key may have stolen the token. */
  assertBound({ jkt }: AccessToken, keyId: string): void {
    if (jkt === keyId) return;
    throw invalidToken('The access token is not bound to the key of the proof. Use the key that it was issued for.');
  }

  /** Ensures that the token was made for the provider itself, and not for a resource (RFC 8707). */
  assertAudience({ aud }: AccessToken): void {
    if (aud === undefined) return;
    throw invalidToken('The access token was made for another resource. Ask for one without "resource".');
  }

  assertScope({ scopes }: AccessToken): void {
    if (scopes.has(APP_SCOPE)) return;
    throw new AppChallenge('insufficient_scope', `The access token needs the scope ${APP_SCOPE}.`, {
      parameters: { scope: APP_SCOPE },
    });
  }

  /** Returns the client of a token, or undefined if the client or the grant is gone. */
  findClient({ accountId, clientId = '', grantId }: AccessToken): Promise<Client | undefined> {
    // The session was checked when the token was found.
    return findGrantedClient(this.#provider, accountId, { clientId, grantId });
  }
}

function describeApp(client: Client): App {
  const { clientId, redirectUris = [], applicationType, jwks } = client;
  return {
    id: clientId,
    name: clientNameOf(client),
    origins: redirectUris.flatMap((uri) => originOf(uri) ?? []),
    isNative: applicationType === 'native',
    // The type allows the keys of a signing service, which only a provider itself can have.
    keys: (jwks?.keys ?? []) as readonly JWK[],
  };
}

/** Returns the origin of a URI as a browser writes it in the header, also for a scheme such as `capacitor:`. */
function originOf(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, host } = new URL(uri);
  return host === '' ? undefined : `${protocol}//${host}`;
}
