/**
 * Signs in the phone in the terminal, by an ordinary authorization request of a native app with PKCE (RFC 8252). The
 * access token is bound to the app's key (DPoP, RFC 9449). The program also takes the part of the phone's browser.
 */
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { generateKeys, type Signer, webCryptoSigner } from '../src/phone/index.ts';
import { discover, interactionOf, TerminalBrowser } from './terminal-browser.ts';

const CLIENT_ID = 'terminal-phone';
const CALLBACK = 'com.example.terminal-phone:/callback';
const SCOPE = 'openid qr_login';

/** Returns the phone in the terminal as a client of the provider: a public one, whose tokens are bound to its key. */
export function phoneClient(): ClientMetadata {
  return {
    client_id: CLIENT_ID,
    client_name: 'Phone in the terminal',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: [CALLBACK],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    scope: SCOPE,
    dpop_bound_access_tokens: true,
  };
}

/** Parameters of a sign-in that has to meet a requirement (RFC 9470). */
export interface SignInParameters {
  readonly max_age?: string;
  readonly acr_values?: string;
}

type KeyPair = Parameters<typeof client.getDPoPHandle>[1];

export class PhoneSession {
  readonly signer: Signer;
  readonly #configuration: client.Configuration;
  readonly #dpop: client.DPoPHandle;
  readonly #browser = new TerminalBrowser(CALLBACK);
  #accessToken = '';

  private constructor(configuration: client.Configuration, dpop: client.DPoPHandle, signer: Signer) {
    this.#configuration = configuration;
    this.#dpop = dpop;
    this.signer = signer;
  }

  /** Makes a new key, and reads the provider's metadata. */
  static async open(issuer: string): Promise<PhoneSession> {
    const configuration = await discover(issuer, CLIENT_ID);
    const keys = await generateKeys();
    const dpop = client.getDPoPHandle(configuration, keys as KeyPair);
    return new PhoneSession(configuration, dpop, await webCryptoSigner(keys));
  }

  /** The access token of the last sign-in. */
  readonly accessToken = (): string => this.#accessToken;

  /** Signs in with a password, and agrees that the app may approve. A second sign-in keeps the key. */
  async signIn(name: string, password: string, parameters: SignInParameters = {}): Promise<void> {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const request = client.buildAuthorizationUrl(this.#configuration, {
      redirect_uri: CALLBACK,
      scope: SCOPE,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      ...parameters,
    });
    const answer = await this.#toApp(request, { name, password });
    const tokens = await client.authorizationCodeGrant(
      this.#configuration,
      answer,
      { pkceCodeVerifier: verifier, expectedState: state },
      undefined,
      { DPoP: this.#dpop },
    );
    this.#accessToken = tokens.access_token;
  }

  /** Goes from the authorization request to the answer, as a user does in a browser. */
  async #toApp(request: URL, form: { readonly name: string; readonly password: string }): Promise<URL> {
    let { url, isPage } = await this.#browser.follow(request);
    if (isPage) {
      const page = new URL(`${interactionOf(url)}/password`);
      ({ url, isPage } = await this.#browser.follow(page, new URLSearchParams(form)));
      if (url.pathname === page.pathname) throw new Error('Name or password is wrong.');
    }
    if (isPage) {
      const { redirectTo } = await this.#browser.post<{ redirectTo: string }>(`${interactionOf(url)}/consent`, {});
      ({ url, isPage } = await this.#browser.follow(new URL(redirectTo, url)));
    }
    if (isPage) throw new Error(`The provider asks for more than this phone can answer: ${url}`);
    return url;
  }
}
