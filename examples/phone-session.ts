/**
 * The sign-in of the phone in the terminal: an ordinary authorization request of a native app with PKCE (RFC 8252), for
 * an access token that is bound to the app's key (DPoP, RFC 9449). The terminal is the browser as well.
 */
import type { ClientMetadata } from 'oidc-provider';
import * as client from 'openid-client';
import { CookieJar } from 'tough-cookie';
import { generateKeys, type Signer, webCryptoSigner } from '../src/phone/index.ts';

const CLIENT_ID = 'terminal-phone';
const CALLBACK = 'com.example.terminal-phone:/callback';
const SCOPE = 'openid qr_login';
const MAX_REDIRECTS = 10;

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

/** The page at which a chain of redirects ends, or the address of the app to which it leads. */
interface Arrival {
  readonly url: URL;
  readonly isPage: boolean;
}

export class PhoneSession {
  readonly signer: Signer;
  readonly #configuration: client.Configuration;
  readonly #dpop: client.DPoPHandle;
  readonly #jar = new CookieJar();
  #accessToken = '';

  private constructor(configuration: client.Configuration, dpop: client.DPoPHandle, signer: Signer) {
    this.#configuration = configuration;
    this.#dpop = dpop;
    this.signer = signer;
  }

  /** Makes a new key, and reads what the provider says about itself. */
  static async open(issuer: string): Promise<PhoneSession> {
    const options = { execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] };
    const configuration = await client
      .discovery(new URL(issuer), CLIENT_ID, undefined, client.None(), options)
      .catch((cause: unknown) => {
        throw discoveryFailure(issuer, cause);
      });
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

  /** Goes from the authorization request to the answer, as a user in a browser. */
  async #toApp(request: URL, form: { readonly name: string; readonly password: string }): Promise<URL> {
    let { url, isPage } = await this.#follow(request);
    if (isPage) {
      const page = new URL(`${interactionOf(url)}/password`);
      ({ url, isPage } = await this.#follow(page, new URLSearchParams(form)));
      if (url.pathname === page.pathname) throw new Error('Name or password is wrong.');
    }
    if (isPage) {
      const consent = await this.#fetch(new URL(`${interactionOf(url)}/consent`), {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
        body: '{}',
      });
      const { redirectTo } = (await consent.json()) as { redirectTo: string };
      ({ url, isPage } = await this.#follow(new URL(redirectTo, url)));
    }
    if (isPage) throw new Error(`The provider asks for more than this phone can answer: ${url}`);
    return url;
  }

  async #follow(start: URL, form?: URLSearchParams): Promise<Arrival> {
    let url = start;
    let response = await this.#fetch(url, {
      headers: { Accept: 'text/html' },
      ...(form && { method: 'POST', body: form }),
    });
    for (let redirects = 0; response.headers.has('location'); redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`${start} redirects without end`);
      url = new URL(response.headers.get('location') ?? '', url);
      if (url.href.startsWith(CALLBACK)) return { url, isPage: false };
      response = await this.#fetch(url, { headers: { Accept: 'text/html' } });
    }
    return { url, isPage: true };
  }

  async #fetch(url: URL, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const cookie = await this.#jar.getCookieString(url.href);
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } });
    for (const set of response.headers.getSetCookie()) await this.#jar.setCookie(set, url.href);
    return response;
  }
}

/** Returns the address of the interaction that a page belongs to. @throws Error for the address of any other page */
function interactionOf({ href }: URL): string {
  const [interaction] = /^.*\/interaction\/[\w-]+/.exec(href) ?? [];
  if (interaction === undefined) throw new Error(`The sign-in of the phone has ended at ${href}`);
  return interaction;
}

function discoveryFailure(issuer: string, cause: unknown): Error {
  const { origin } = new URL(issuer);
  const isReached = cause instanceof client.ClientError && cause.code !== 'OAUTH_TIMEOUT' && !isNetwork(cause);
  const message = isReached
    ? `${issuer} is no provider. Copy the link below the code again.`
    : `Nothing answers at ${origin}. Is the provider running, and is the port right?`;
  return new Error(message, { cause });
}

function isNetwork({ cause }: Error): boolean {
  return cause instanceof TypeError;
}
