import type { Client, Provider } from 'oidc-provider';
import { QrLoginError } from '../../ticket/errors.ts';
import { AppChallenge, invalidToken } from '../apps/app-challenge.ts';
import { findClient } from '../session-clients.ts';

/** The scope that a client needs to ask for actions. */
export const ACTION_SCOPE = 'qr_action';

/** A client that may ask for actions. */
export interface ActionAccess {
  readonly clientId: string;
  /**
   * The account whose user has granted the token; undefined if the client got it for itself (RFC 6749, section 4.4).
   */
  readonly accountId: string | undefined;
}

type Token = InstanceType<Provider['AccessToken']> | InstanceType<Provider['ClientCredentials']>;

/** Checks the access tokens of clients that ask for actions, each time that one is sent. */
export class ActionTokens {
  readonly #provider: Provider;

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  /**
   * Returns the access that a token gives.
   * @param keyId the thumbprint of the key that the sender has proven to hold; undefined for a bearer token
   * @throws QrLoginError `invalid_token` if it is unknown, expired, revoked, bound to another key or to a certificate,
   *   or made for a resource, or if its grant or client is gone; `insufficient_scope`
   */
  async find(accessToken: string, keyId: string | undefined): Promise<ActionAccess> {
    const { AccessToken, ClientCredentials } = this.#provider;
    const token = (await AccessToken.find(accessToken)) ?? (await ClientCredentials.find(accessToken));
    if (token === undefined) throw invalidToken('The access token is not valid (any more). Get another one.');
    this.assertBound(token, keyId);
    this.assertAudience(token);
    this.assertScope(token);
    const client = await this.findClient(token);
    if (client === undefined) throw invalidToken('The access of this client was ended. Get another access token.');
    return { clientId: client.clientId, accountId: 'accountId' in token ? token.accountId : undefined };
  }

  /**
   * Ensures that the sender holds the key that the token is bound to. A sender without that key may have stolen the
   * token.
   */
  assertBound(token: Token, keyId: string | undefined): void {
    if (token['x5t#S256'] !== undefined)
      throw invalidToken('The access token is bound to a certificate, which is not checked here. Use DPoP or Bearer.');
    if (token.jkt === keyId) return;
    throw invalidToken(
      token.jkt === undefined
        ? 'The access token is not bound to a key: send it as Bearer.'
        : 'The access token is bound to a key: send it as DPoP, with a proof of that key (RFC 9449).',
    );
  }

  /** Ensures that the token was made for the provider itself, and not for a resource (RFC 8707). */
  assertAudience({ aud }: Token): void {
    if (aud === undefined) return;
    throw invalidToken('The access token was made for another resource. Ask for one without "resource".');
  }

  assertScope({ scopes }: Token): void {
    if (scopes.has(ACTION_SCOPE)) return;
    throw new AppChallenge('insufficient_scope', `The access token needs the scope ${ACTION_SCOPE}.`, {
      parameters: { scope: ACTION_SCOPE },
    });
  }

  /** Returns the client of a token, or undefined if the client or the grant is gone. */
  async findClient(token: Token): Promise<Client | undefined> {
    const { clientId = '' } = token;
    if (!('grantId' in token)) return findClient(this.#provider, clientId);
    const [client, grant] = await Promise.all([
      findClient(this.#provider, clientId),
      this.#provider.Grant.find(token.grantId),
    ]);
    return grant?.clientId === clientId && grant.accountId === token.accountId ? client : undefined;
  }
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
