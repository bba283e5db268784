/** RPs of many kinds, based on openid-client, and the steps of a sign-in at them. */
import { expect } from 'chai';
import type { Configuration } from 'oidc-provider';
import * as client from 'openid-client';
import type { Answer } from './agent.ts';
import { type BrowserPerson, CLIENT_SECRET, type PhonePerson, RP_CALLBACK, type World } from './world.ts';

/** Returns the fixture's configuration with other features. */
export function withFeatures(features: NonNullable<Configuration['features']>): Configuration {
  return { features: { devInteractions: { enabled: false }, ...features } };
}

type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

/** An RP with one authorization request at a time. */
export class RelyingParty {
  readonly configuration: client.Configuration;
  #checks: client.AuthorizationCodeGrantChecks = {};

  private constructor(configuration: client.Configuration) {
    this.configuration = configuration;
  }

  /**
   * Creates an RP.
   * @param kind functions of openid-client that select another kind of answer than an authorization code in the query
   */
  static async at(
    world: World,
    clientId: string,
    ...kind: ((configuration: client.Configuration) => void)[]
  ): Promise<RelyingParty> {
    const discovery = new URL(`${world.issuer}/.well-known/openid-configuration`);
    const execute = [client.allowInsecureRequests, ...kind];
    return new RelyingParty(await client.discovery(discovery, clientId, CLIENT_SECRET, undefined, { execute }));
  }

  /** Returns the parameters of a new request. */
  async parameters(more: Record<string, string> = {}): Promise<Record<string, string>> {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const nonce = client.randomNonce();
    this.#checks = { pkceCodeVerifier, expectedState: state, expectedNonce: nonce };
    return {
      redirect_uri: RP_CALLBACK,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...more,
    };
  }

  /** Returns the URL of a new authorization request. */
  async url(more: Record<string, string> = {}): Promise<URL> {
    return client.buildAuthorizationUrl(this.configuration, await this.parameters(more));
  }

  /** Checks the answer against the request, and redeems the authorization code in it. */
  tokens(answer: URL | Request, checks: client.AuthorizationCodeGrantChecks = {}): Promise<Tokens> {
    return client.authorizationCodeGrant(this.configuration, answer, { ...this.#checks, ...checks });
  }

  /** Checks the answer against the request, and returns its ID token. */
  idToken(answer: URL): Promise<client.IDToken> {
    const { expectedNonce = '', expectedState = '' } = this.#checks;
    return client.implicitAuthentication(this.configuration, answer, expectedNonce, { expectedState });
  }
}

/** Sends the browser to the provider. @returns the page that it gets there */
export async function send(browser: BrowserPerson, url: string | URL): Promise<Answer> {
  const page = await followInProvider(browser, url);
  browser.at = page.url.href;
  return page;
}

/** Scans the browser's code, and approves. */
export async function approve(browser: BrowserPerson, phone: PhonePerson): Promise<void> {
  expect((await phone.scan(await browser.code())).status).to.equal(200);
  const approved = await phone.approve();
  expect(approved.json()).to.include({ state: 'approved' });
}

/** Approves on the phone, finishes in the browser, and allows the consent page. @returns the answer for the RP */
export async function signInByQr(browser: BrowserPerson, phone: PhonePerson): Promise<Answer> {
  await approve(browser, phone);
  return finish(browser);
}

/** Finishes in the browser, and allows the consent page. @returns the answer for the RP: a redirect or a page */
export async function finish(browser: BrowserPerson, more: Record<string, string> = {}): Promise<Answer> {
  const { redirectTo } = (await browser.finish(undefined, more)).json();
  return allowConsent(browser, await followInProvider(browser, String(redirectTo)));
}

/** Allows the consent page, if the answer is one. Otherwise returns the answer. */
export async function allowConsent(browser: BrowserPerson, answer: Answer): Promise<Answer> {
  if (!/\/interaction\/[\w-]+$/.test(answer.url.pathname)) return answer;
  const granted = await browser.agent.post(`${answer.url}/consent`, { json: {} });
  return followInProvider(browser, String(granted.json().redirectTo));
}

/** Follows redirects within the provider. @returns the first answer that is a page or redirects elsewhere */
export function followInProvider(browser: BrowserPerson, url: string | URL): Promise<Answer> {
  const { origin } = browser.world;
  return browser.agent.follow(new URL(url, origin), (next) => next.origin !== origin);
}

/** Returns the hidden fields of the form on a page. */
export function fieldsIn(page: string): Record<string, string> {
  const fields = page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"\s*\/?>/g);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, plain(value)]));
}

/** Returns the error code with which the provider refuses a request. @throws Error if it does not refuse it */
export async function errorOf(refused: Promise<unknown>): Promise<string> {
  const error: unknown = await refused.catch((reason: unknown) => reason);
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) {
    return error.error;
  }
  throw new Error('the provider did not refuse this', { cause: error });
}

function plain(html: string): string {
  const characters: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
  return html.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => characters[entity] ?? entity);
}
