/**
 * Signs an account in to this app, and out again: with an authorization code and PKCE (RFC 7636), and with tokens that
 * are bound to the key of this device by DPoP (RFC 9449).
 */
import * as oauth from 'oauth4webapi';
import { type DeviceStore, deviceKey, type PendingSignIn, type Tokens } from './device-store.ts';
import type { Settings } from './settings.ts';

/** The path that the provider sends the user back to. */
export const SIGNED_IN_PATH = '/signed-in';

/** `offline_access` gives a refresh token, `qr_login` lets the app scan and approve. */
const SCOPE = 'openid profile offline_access qr_login';

/** An access token is renewed this long before it expires, so that it does not expire on its way. */
const RENEW_BEFORE_MS = 30_000;

/** The name of the lock under which one window at a time renews the tokens. */
const LOCK = 'renew-tokens';

/** The app is not signed in (any more): the user signed out, or the provider has revoked the app's grant. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

/** The provider has refused the sign-in, or the user has cancelled it. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

/** The requirements that a sign-in has to meet. */
export interface SignInWish {
  /** The path of the app to open afterwards. */
  readonly returnTo: string;
  /** The longest time since the user authenticated, in seconds. */
  readonly maxAge?: number;
  /** The acceptable authentication context classes, the preferred one first. */
  readonly acrValues?: readonly string[];
  /** The name of the account that is expected to sign in. */
  readonly loginHint?: string;
}

export class Account {
  readonly #settings: Settings;
  readonly #store: DeviceStore;
  readonly #client: oauth.Client;
  readonly #options: { readonly [oauth.allowInsecureRequests]: boolean };
  #server: Promise<oauth.AuthorizationServer> | undefined;
  #dpop: Promise<oauth.DPoPHandle> | undefined;
  #tokens: Tokens | undefined;

  private constructor(settings: Settings, store: DeviceStore, tokens: Tokens | undefined) {
    this.#settings = settings;
    this.#store = store;
    this.#client = { client_id: settings.clientId };
    // Only a provider on this machine may be reached without TLS: browsers treat no other http origin as secure.
    this.#options = { [oauth.allowInsecureRequests]: new URL(settings.issuer).protocol === 'http:' };
    this.#tokens = tokens;
  }

  static async load(settings: Settings, store: DeviceStore): Promise<Account> {
    return new Account(settings, store, await store.find('tokens'));
  }

  /** The tokens of the account; undefined if none is signed in. */
  get tokens(): Tokens | undefined {
    return this.#tokens;
  }

  /** Returns the address of the provider at which the user signs in. */
  async signInUrl({ returnTo, maxAge, acrValues, loginHint }: SignInWish): Promise<URL> {
    const pending: PendingSignIn = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      returnTo,
    };
    await this.#store.save('pending', pending);
    const { authorization_endpoint: endpoint } = await this.#metadata();
    const url = new URL(`${endpoint}`);
    url.search = `${new URLSearchParams({
      client_id: this.#settings.clientId,
      redirect_uri: this.#redirectUri,
      response_type: 'code',
      scope: SCOPE,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      // An attacker who intercepts the code cannot redeem it with another key (RFC 9449, section 10).
      dpop_jkt: await (await this.#proofs()).calculateThumbprint(),
      // The app can approve sign-ins from now on, so a session that is open in this browser is not enough. OpenID
      // Connect gives a refresh token only with consent.
      prompt: 'login consent',
      ...(maxAge !== undefined && { max_age: `${maxAge}` }),
      ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
      ...(loginHint !== undefined && { login_hint: loginHint }),
      ...(this.#tokens && { id_token_hint: this.#tokens.idToken }),
    })}`;
    return url;
  }

  /**
   * Redeems the code that the provider has sent the user back with.
   * @returns the path of the app to open next
   * @throws SignInRefused if the provider sent an error, or if this device did not start the sign-in
   */
  async finishSignIn(callback: URL): Promise<string> {
    const pending = await this.#store.find('pending');
    await this.#store.delete('pending');
    if (pending === undefined) throw new SignInRefused('this device has not started a sign-in');
    try {
      const server = await this.#metadata();
      const parameters = oauth.validateAuthResponse(server, this.#client, callback, pending.state);
      const response = await this.#withNonce((DPoP) =>
        oauth.authorizationCodeGrantRequest(
          server,
          this.#client,
          oauth.None(),
          parameters,
          this.#redirectUri,
          pending.verifier,
          { ...this.#options, DPoP },
        ),
      );
      const answer = await oauth.processAuthorizationCodeResponse(server, this.#client, response, {
        expectedNonce: pending.nonce,
        requireIdToken: true,
      });
      const claims = oauth.getValidatedIdTokenClaims(answer);
      if (claims === undefined || answer.id_token === undefined) throw new SignInRefused('there is no ID token');
      const { access_token: accessToken } = answer;
      const name = await this.#nameOf(server, accessToken, claims.sub);
      await this.#save({ ...lifetimeOf(answer), accessToken, idToken: answer.id_token, subject: claims.sub, name });
      return pending.returnTo;
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
        throw new SignInRefused(error.error, { cause: error });
      }
      if (error instanceof oauth.OperationProcessingError) throw new SignInRefused(error.message, { cause: error });
      throw error;
    }
  }

  /** Returns the address at which the user signs out of the provider itself (OIDC RP-Initiated Logout 1.0). */
  async endSessionUrl(): Promise<URL | undefined> {
    const { end_session_endpoint: endpoint } = await this.#metadata();
    if (endpoint === undefined || this.#tokens === undefined) return undefined;
    const url = new URL(endpoint);
    url.search = `${new URLSearchParams({
      client_id: this.#settings.clientId,
      id_token_hint: this.#tokens.idToken,
      post_logout_redirect_uri: new URL('/', location.origin).href,
    })}`;
    return url;
  }

  /**
   * Returns an access token that is still good.
   * @throws SignedOut if no account is signed in any more
   */
  readonly accessToken = async (): Promise<string> => {
    if (this.#tokens === undefined) throw new SignedOut();
    if (Date.now() < this.#tokens.expiresAt - RENEW_BEFORE_MS) return this.#tokens.accessToken;
    return navigator.locks.request(LOCK, () => this.#renew());
  };

  /** Forgets the account on this device: its tokens, and the key that they are bound to. */
  async forget(): Promise<void> {
    this.#tokens = undefined;
    this.#dpop = undefined;
    await this.#store.delete('tokens', 'pending', 'key');
  }

  /**
   * Signs out: revokes the app's grant (RFC 7009) and forgets the account. Without a connection the account is
   * forgotten all the same. This is safe: the tokens cannot be used without the key.
   * @returns false if the provider has not confirmed the revocation of a token
   */
  async signOut(): Promise<boolean> {
    const { refreshToken, accessToken } = this.#tokens ?? {};
    await this.forget();
    const token = refreshToken ?? accessToken;
    if (token === undefined) return true;
    try {
      const answer = await oauth.revocationRequest(await this.#metadata(), this.#client, oauth.None(), token, {
        ...this.#options,
      });
      await oauth.processRevocationResponse(answer);
      return true;
    } catch {
      return false;
    }
  }

  async #renew(): Promise<string> {
    // Another window may have renewed the tokens, or signed out, while this one waited for the lock.
    this.#tokens = await this.#store.find('tokens');
    if (this.#tokens === undefined) throw new SignedOut();
    const { refreshToken, expiresAt, accessToken } = this.#tokens;
    if (Date.now() < expiresAt - RENEW_BEFORE_MS) return accessToken;
    if (refreshToken === undefined) throw new SignedOut();
    try {
      const server = await this.#metadata();
      const response = await this.#withNonce((DPoP) =>
        oauth.refreshTokenGrantRequest(server, this.#client, oauth.None(), refreshToken, { ...this.#options, DPoP }),
      );
      const answer = await oauth.processRefreshTokenResponse(server, this.#client, response);
      const { access_token: renewed, id_token: idToken = this.#tokens.idToken } = answer;
      await this.#save({ ...this.#tokens, refreshToken, ...lifetimeOf(answer), accessToken: renewed, idToken });
      return renewed;
    } catch (error) {
      if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') {
        throw new SignedOut('the provider has revoked the grant', { cause: error });
      }
      throw error;
    }
  }

  async #nameOf(server: oauth.AuthorizationServer, accessToken: string, subject: string): Promise<string> {
    const response = await this.#withNonce((DPoP) =>
      oauth.userInfoRequest(server, this.#client, accessToken, { ...this.#options, DPoP }),
    );
    const { name } = await oauth.processUserInfoResponse(server, this.#client, subject, response);
    return name ?? subject;
  }

  async #save(tokens: Tokens): Promise<void> {
    await this.#store.save('tokens', tokens);
    this.#tokens = tokens;
  }

  /** Repeats a request once with the nonce that the provider has asked for (RFC 9449, section 8). */
  async #withNonce<Result>(request: (DPoP: oauth.DPoPHandle) => Promise<Result>): Promise<Result> {
    const proofs = await this.#proofs();
    try {
      return await request(proofs);
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      return request(proofs);
    }
  }

  #proofs(): Promise<oauth.DPoPHandle> {
    this.#dpop ??= deviceKey(this.#store).then((key) => oauth.DPoP(this.#client, key));
    return this.#dpop;
  }

  /** Returns the provider's metadata, which is requested once. */
  async #metadata(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.#settings.issuer);
    this.#server ??= oauth
      .discoveryRequest(issuer, this.#options)
      .then((response) => oauth.processDiscoveryResponse(issuer, response));
    // After a failure, the next request tries again.
    this.#server.catch(() => {
      this.#server = undefined;
    });
    return this.#server;
  }

  get #redirectUri(): string {
    return new URL(SIGNED_IN_PATH, location.origin).href;
  }
}

function lifetimeOf(answer: oauth.TokenEndpointResponse): Pick<Tokens, 'expiresAt' | 'refreshToken'> {
  return {
    expiresAt: Date.now() + (answer.expires_in ?? 0) * 1000,
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
  };
}
