/** Signs operators in to the console by an ordinary authorization request, and demands a recent sign-in in this browser. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import parseBody from 'co-body';
import { Keyv } from 'keyv';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import * as client from 'openid-client';
import { localAuthentication } from '../../src/index.ts';
import { consoleClient, consoleUrl, OPERATOR_SCOPE } from './client.ts';

export interface SignInPorts {
  readonly provider: Provider;
  /** Returns true for an account that is an operator now. */
  readonly isOperator: (accountId: string) => boolean;
  /** The longest time since the operator has authenticated, in seconds. */
  readonly freshSeconds: number;
  /** Sends requests to the provider; the global `fetch` by default. */
  readonly fetch: typeof fetch | undefined;
}

/** A browser that has signed in to the console. */
export interface Visit {
  readonly accountId: string;
  /** True if the provider has granted the scope of operators. */
  readonly isOperator: boolean;
  /** The token that forms of this visit send. */
  readonly csrf: string;
}

interface Pending {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** The page to return to, below the console. */
  readonly to: string;
}

const COOKIE = 'console';
const PENDING_COOKIE = 'console_sign_in';
const VISIT_MS = 60 * 60_000;
const PENDING_MS = 10 * 60_000;
/** A page of the console: neither another site nor a path that leads out of it. */
const OWN_PAGE = /^\/(?:account|blocks|audit)?(?:\?[\w=&%.~+-]{0,300})?$/;

export class ConsoleSignIn {
  readonly #ports: SignInPorts;
  readonly #base: string;
  /** In the memory of this process: a second process would ask to sign in again. */
  readonly #visits = new Keyv<Visit>({ ttl: VISIT_MS });
  readonly #pending = new Keyv<Pending>({ ttl: PENDING_MS });
  #discovered: Promise<client.Configuration> | undefined;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
    this.#base = new URL(consoleUrl(ports.provider.issuer)).pathname;
  }

  /**
   * Returns the visit of an operator who has authenticated in this browser a short time ago, and whose session at the
   * provider still exists; a visit of an account that is no operator; undefined if the user must sign in.
   */
  async find(ctx: Context): Promise<Visit | undefined> {
    const { isOperator } = this.#ports;
    const visit = await this.#visits.get(ctx.cookies.get(COOKIE) ?? '');
    if (visit === undefined) return undefined;
    const local = await this.#local(ctx);
    if (local?.accountId !== visit.accountId) return undefined;
    // An account can stop being an operator while it is signed in.
    return { ...visit, isOperator: visit.isOperator && isOperator(visit.accountId) };
  }

  /** Returns the fields of a form; undefined if no page of this visit has sent it. */
  async readForm(ctx: Context, { csrf }: Visit): Promise<Readonly<Record<string, string>> | undefined> {
    const form: Record<string, unknown> = await parseBody.form(ctx, { limit: 4096 });
    const [expected, received] = [Buffer.from(csrf), Buffer.from(String(form.csrf))];
    if (expected.length !== received.length || !timingSafeEqual(expected, received)) return undefined;
    return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, String(value).trim()]));
  }

  /** Sends the browser to the provider. @param isOther true if another account is wanted */
  async begin(ctx: Context, to: string, isOther: boolean): Promise<void> {
    const pending: Pending = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
      to: OWN_PAGE.test(to) ? to : '/',
    };
    // A sign-in by QR is recent, but it does not show that the operator is at this browser.
    const mustAuthenticate = isOther || (await this.#local(ctx)) === undefined;
    const target = client.buildAuthorizationUrl(await this.#configuration(), {
      redirect_uri: `${consoleUrl(this.#ports.provider.issuer)}/callback`,
      scope: `openid ${OPERATOR_SCOPE}`,
      max_age: `${this.#ports.freshSeconds}`,
      ...(mustAuthenticate && { prompt: 'login' }),
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    const id = randomBytes(16).toString('base64url');
    await this.#pending.set(id, pending);
    this.#setCookie(ctx, PENDING_COOKIE, id, PENDING_MS);
    ctx.redirect(target.href);
  }

  /**
   * Takes the answer of the provider. The visit gets a new id, so that an id from before is worthless.
   * @returns the page to return to
   * @throws the errors of openid-client; undefined is returned if this browser has not asked
   */
  async complete(ctx: Context): Promise<string | undefined> {
    const { issuer } = this.#ports.provider;
    const id = ctx.cookies.get(PENDING_COOKIE) ?? '';
    const pending = await this.#pending.get(id);
    await this.#pending.delete(id);
    this.#setCookie(ctx, PENDING_COOKIE, null, 0);
    if (pending === undefined) return undefined;
    const answer = new URL(`${consoleUrl(issuer)}/callback${ctx.search}`);
    const tokens = await client.authorizationCodeGrant(await this.#configuration(), answer, {
      pkceCodeVerifier: pending.verifier,
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      maxAge: this.#ports.freshSeconds,
    });
    const accountId = tokens.claims()?.sub ?? '';
    const isOperator = (tokens.scope ?? '').split(' ').includes(OPERATOR_SCOPE);
    await this.leave(ctx);
    const visitId = randomBytes(16).toString('base64url');
    await this.#visits.set(visitId, { accountId, isOperator, csrf: randomBytes(16).toString('base64url') });
    this.#setCookie(ctx, COOKIE, visitId, VISIT_MS);
    return pending.to;
  }

  /** Ends the visit. The session at the provider stays. */
  async leave(ctx: Context): Promise<void> {
    await this.#visits.delete(ctx.cookies.get(COOKIE) ?? '');
    this.#setCookie(ctx, COOKIE, null, 0);
  }

  #local(ctx: Context): ReturnType<typeof localAuthentication> {
    const { provider, freshSeconds } = this.#ports;
    return localAuthentication(provider, ctx, { maxAge: freshSeconds });
  }

  #setCookie(ctx: Context, name: string, value: string | null, maxAge: number): void {
    const secure = this.#ports.provider.issuer.startsWith('https:');
    // Behind a proxy, the connection that arrives here may be http.
    if (secure) ctx.cookies.secure = true;
    ctx.cookies.set(name, value, { path: this.#base, maxAge, secure, httpOnly: true, sameSite: 'lax', signed: false });
  }

  /** Reads the metadata of the provider at the first sign-in, because the provider does not listen before. */
  #configuration(): Promise<client.Configuration> {
    const { provider, fetch: send } = this.#ports;
    const { client_id: id, client_secret: secret } = consoleClient(provider.issuer);
    const { issuer } = provider;
    this.#discovered ??= client
      .discovery(new URL(`${issuer}/.well-known/openid-configuration`), id, secret, undefined, {
        execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
        ...(send && { [client.customFetch]: send as client.CustomFetch }),
      })
      .catch((error: unknown) => {
        this.#discovered = undefined;
        throw error;
      });
    return this.#discovered;
  }
}
