/** A phone's app that approves sign-ins by the API: it signs in with PKCE, and proves its key with DPoP. */
import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';
import { passwordOf } from '../fixtures/people.ts';
import { APP_CALLBACK, APP_SCOPES, PHONE_APP } from '../fixtures/phone-app.ts';
import { Agent, type Answer, EventStream } from './agent.ts';
import { fetchDescription } from './described.ts';
import type { Site } from './visitors.ts';

/** The provider that an app belongs to. A World is one. */
export interface AppSite {
  readonly issuer: string;
  /** Maps the client ids that the tests use to the registered clients, if the registered ids differ. */
  readonly others?: Site['others'];
}

/** A request of an app. A member that is left out gets the value that a correct app sends. */
export interface AppRequest {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** The header `Authorization`. */
  readonly authorization?: string;
  /** Replaces members of the payload or the header of the DPoP proof. */
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  /** The app whose key signs the proof. @default this app */
  readonly signer?: AppPerson;
  /** A complete proof, which the app sends instead of its own. */
  readonly proof?: string;
  /** False to send the request only once, even if the answer has a nonce. */
  readonly retries?: boolean;
  readonly signal?: AbortSignal;
}

/** A key that signs decisions, and the header members that identify it. */
export interface DecisionSigner {
  readonly key: GenerateKeyPairResult['privateKey'];
  readonly header: { readonly jwk?: JWK; readonly kid?: string };
}

export interface AppOptions {
  readonly clientId?: string;
  readonly callback?: string;
  readonly headers?: Record<string, string>;
  /** The browser in which the app signs in. By default it is a new one. */
  readonly tab?: Agent;
}

export class AppPerson {
  readonly site: AppSite;
  /** Sends the app's requests. It does not share the cookies of the browser tab in which the app signs in. */
  readonly agent: Agent;
  readonly #options: AppOptions;
  /** The browser tab in which the app signs in. */
  #tab: Agent;
  #key: GenerateKeyPairResult | undefined;
  accessToken = '';
  refreshToken = '';
  idToken = '';
  jwk: JWK = {};
  /** The nonces of the API and of the token endpoint. */
  nonce: string | undefined;
  #tokenNonce: string | undefined;
  /** The URL of the ticket that it has scanned. */
  at = '';

  constructor(site: AppSite, options: AppOptions = {}) {
    this.site = site;
    this.#options = options;
    this.agent = new Agent({ 'user-agent': 'ExampleApp/1.0 (iPhone)', ...options.headers });
    this.#tab = options.tab ?? new Agent({ 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1' });
  }

  get clientId(): string {
    const { clientId = PHONE_APP } = this.#options;
    return this.site.others?.[clientId]?.id ?? clientId;
  }

  get key(): GenerateKeyPairResult {
    if (this.#key === undefined) throw new Error('the app has no key before it has signed in');
    return this.#key;
  }

  /** The thumbprint of its key. */
  keyId(): Promise<string> {
    return calculateJwkThumbprint(this.jwk);
  }

  /** Makes the key, if there is none yet. */
  async makeKey(): Promise<void> {
    if (this.#key !== undefined) return;
    this.#key = await generateKeyPair('ES256', { extractable: true });
    this.jwk = await exportJWK(this.#key.publicKey);
  }

  /** Signs in with a password. A second call is a new sign-in with the same key. */
  async signIn(name: string = 'alice', parameters: Record<string, string> = {}): Promise<this> {
    await this.makeKey();
    const verifier = `${randomUUID()}${randomUUID()}`;
    const request = {
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri: this.#callback,
      scope: APP_SCOPES,
      // oidc-provider grants `offline_access` only with consent.
      prompt: 'consent',
      code_challenge: await s256(verifier),
      code_challenge_method: 'S256',
      ...parameters,
    };
    const code = await this.#authorize(new URLSearchParams(request), name);
    const grant = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: this.#callback };
    await this.#exchange(grant);
    return this;
  }

  /** Exchanges the refresh token for new tokens. */
  refresh(): Promise<void> {
    return this.#exchange({ grant_type: 'refresh_token', refresh_token: this.refreshToken });
  }

  /** Revokes its refresh token, which ends its grant (RFC 7009). */
  revoke(token: string = this.refreshToken): Promise<Answer> {
    return this.agent.post(`${this.site.issuer}/token/revocation`, { form: { client_id: this.clientId, token } });
  }

  /** Forgets the browser tab's session, as a private tab does. */
  forgetTab(): void {
    this.#tab = new Agent();
  }

  /** Returns the cookies of the browser tab in which it signs in. */
  cookies(): Promise<string> {
    return this.#tab.jar.getCookieString(this.site.issuer);
  }

  /** @param more `{ actions: true }` for an app that shows the texts of actions */
  async scan(code: string, more: object = {}): Promise<Answer> {
    return this.#scanned(await this.request('POST', '/qr/api/scans', { body: { code, ...more } }));
  }

  async type(shortCode: string): Promise<Answer> {
    return this.#scanned(await this.request('POST', '/qr/api/scans', { body: { shortCode } }));
  }

  look(more: AppRequest = {}): Promise<Answer> {
    return this.request('GET', this.at, more);
  }

  /** Waits for a ticket that is newer than this version. */
  after(version: unknown, more: AppRequest = {}): Promise<Answer> {
    return this.request('GET', `${this.at}?after=${version}`, more);
  }

  decide(decision: string, more: object = {}, request: AppRequest = {}): Promise<Answer> {
    return this.request('POST', `${this.at}/decision`, { body: { decision, ...more }, ...request });
  }

  approve(more: object = {}): Promise<Answer> {
    return this.decide('approve', more);
  }

  /**
   * Signs a decision about the ticket that it has scanned, as it was shown.
   * @param signer the key and the header members. By default it is the key of the app's tokens, as `jwk`
   */
  async sign(decision: string, changes: Record<string, unknown> = {}, signer?: DecisionSigner): Promise<string> {
    const { id, client, browser } = (await this.look()).json() as Record<string, unknown> & { client: { id: string } };
    const time = Math.floor(Date.now() / 1000);
    const shown = { aud: this.site.issuer, ticket: id, client: client.id, browser };
    return new SignJWT({ ...shown, decision, remember: false, time, ...changes })
      .setProtectedHeader({ typ: 'qr-decision+jwt', alg: 'ES256', ...(signer?.header ?? { jwk: this.jwk }) })
      .sign(signer?.key ?? this.key.privateKey);
  }

  /** Opens the stream of the ticket that it has scanned. */
  async events(): Promise<EventStream> {
    await this.look();
    const controller = new AbortController();
    const headers = { ...(await this.headersFor('GET', this.at)), accept: 'text/event-stream' };
    return new EventStream(await this.agent.raw(this.at, { headers, signal: controller.signal }), controller);
  }

  /** Sends a request with a token and a proof. Repeats it if the server answers with a nonce. */
  async request(method: string, path: string, more: AppRequest = {}): Promise<Answer> {
    const send = async (): Promise<Answer> => {
      const url = this.#url(path);
      const answer = await this.agent.send(url, {
        method,
        headers: { ...(await this.headersFor(method, path, more)), ...more.headers },
        ...(more.body !== undefined && { json: more.body }),
        ...(more.signal && { signal: more.signal }),
      });
      this.nonce = answer.headers.get('dpop-nonce') ?? this.nonce;
      const base = new URL(this.site.issuer).pathname.replace(/\/$/, '');
      (await fetchDescription(this.site.issuer)).assertAnswer(method, url.pathname.slice(base.length), answer);
      return answer;
    };
    const answer = await send();
    const wantsNonce = answer.status === 401 && answer.json().error === 'use_dpop_nonce';
    return wantsNonce && more.retries !== false ? send() : answer;
  }

  /** Returns the headers with the token and a proof. */
  async headersFor(method: string, path: string, more: AppRequest = {}): Promise<Record<string, string>> {
    const { authorization = `DPoP ${this.accessToken}` } = more;
    const proof =
      more.proof ??
      (await (more.signer ?? this).prove(method, path, { token: this.accessToken, nonce: this.nonce, ...more }));
    return {
      accept: 'application/json',
      ...(authorization !== '' && { authorization }),
      ...(proof !== '' && { dpop: proof }),
    };
  }

  /** Makes a proof for one request to the API. */
  async prove(
    method: string,
    path: string,
    {
      claims,
      header,
      token = this.accessToken,
      nonce = this.nonce,
    }: Pick<AppRequest, 'claims' | 'header'> & { token?: string; nonce?: string | undefined } = {},
  ): Promise<string> {
    const { origin, pathname } = this.#url(path);
    return this.#sign(
      { htm: method, htu: origin + pathname, ath: await s256(token), ...(nonce !== undefined && { nonce }), ...claims },
      header,
    );
  }

  async #sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const payload = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims };
    return new SignJWT(payload)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.jwk, ...header })
      .sign(this.key.privateKey);
  }

  get #callback(): string {
    return this.#options.callback ?? APP_CALLBACK;
  }

  #url(path: string): URL {
    return path.startsWith('http') ? new URL(path) : new URL(this.site.issuer + path);
  }

  #scanned(answer: Answer): Answer {
    if (answer.status < 300) this.at = answer.location;
    return answer;
  }

  /** Goes through the pages of the provider in the tab. @returns the authorization code */
  async #authorize(request: URLSearchParams, name: string): Promise<string> {
    const isBack = (url: URL): boolean => url.href.startsWith(this.#callback);
    let answer = await this.#tab.follow(`${this.site.issuer}/auth?${request}`, isBack);
    for (let pages = 0; !answer.location.startsWith(this.#callback); pages++) {
      if (pages === 4) throw new Error(`${name} cannot sign in: ${answer.status} ${answer.url} ${answer.text}`);
      answer = await this.#goOn(answer, name, isBack);
    }
    const code = new URL(answer.location).searchParams.get('code');
    if (code === null) throw new Error(`the app gets no authorization code: ${answer.location}`);
    return code;
  }

  /** Leaves the QR page for the password page, signs in there, or allows the consent page. */
  async #goOn({ url, text }: Answer, name: string, isBack: (url: URL) => boolean): Promise<Answer> {
    if (text.includes('data-code')) return this.#tab.follow(`${url}/password`, isBack);
    const isConsent = !url.pathname.endsWith('/password');
    const posted = isConsent
      ? await this.#tab.post(`${url}/consent`, { json: {} })
      : await this.#tab.post(url, { form: { name, password: passwordOf(name) } });
    const next = new URL(isConsent ? `${posted.json().redirectTo}` : posted.location, url);
    return this.#tab.follow(next, isBack);
  }

  async #exchange(grant: Record<string, string>): Promise<void> {
    const url = `${this.site.issuer}/token`;
    const nonce = this.#tokenNonce;
    const dpop = await this.#sign({ htm: 'POST', htu: url, ...(nonce !== undefined && { nonce }) });
    const answer = await this.agent.post(url, { form: { client_id: this.clientId, ...grant }, headers: { dpop } });
    this.#tokenNonce = answer.headers.get('dpop-nonce') ?? nonce;
    if (answer.status !== 200) throw new Error(`the app gets no tokens: ${answer.text}`);
    const { access_token, refresh_token, id_token } = answer.json();
    this.accessToken = `${access_token}`;
    this.idToken = `${id_token ?? ''}`;
    this.refreshToken = `${refresh_token ?? this.refreshToken}`;
  }
}

async function s256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');
}
