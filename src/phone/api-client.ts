import { makeProof, signJwt } from './dpop-proof.ts';
import { type AuthenticationRequirement, PhoneError } from './phone-error.ts';
import type { Signer } from './signer.ts';

/**
 * The part of `fetch` that is used. The `fetch` of browsers, Node, Deno, Bun and React Native has this type; an app can
 * also pass its own function.
 */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    credentials: 'omit';
    redirect: 'error';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

/**
 * Returns an access token of this provider with the scope `qr_login`, bound to the key of the signer.
 * @param refused a token that the provider has just refused, for example because it has expired: get another one, with
 * the refresh token. If the same one is returned, the request fails with `invalid_token`.
 */
export type GetAccessToken = (refused?: string) => Promise<string> | string;

/** Options of every request. */
export interface RequestOptions {
  /** Ends the request. The call then throws the signal's reason. The provider may still carry the request out. */
  readonly signal?: AbortSignal | undefined;
}

export interface PhoneOptions {
  /** The issuer of the provider, as in its metadata: `https://id.example.com`. */
  readonly issuer: string;
  /** The app's access token, or a function that gives a fresh one for each request. */
  readonly accessToken: string | GetAccessToken;
  /** The key that the access token is bound to. */
  readonly signer: Signer;
  /** Sends the requests. The global `fetch` by default. */
  readonly fetch?: Fetch;
  /** The longest wait for an answer, in milliseconds. 10,000 by default. */
  readonly timeout?: number;
  /**
   * True signs each decision with the key, besides the proof, so that the provider can keep it as evidence: what the
   * user was shown, and what they decided. Needed if the provider's option `signedDecisions` is set. False by default.
   */
  readonly signDecisions?: boolean;
}

interface SendOptions extends RequestOptions {
  readonly query?: string;
  readonly body?: object;
  /** The time for which the provider may hold back its answer, in milliseconds. */
  readonly held?: number;
}

type Method = 'GET' | 'POST' | 'DELETE';

type Headers = Awaited<ReturnType<Fetch>>['headers'];

/**
 * Sends requests with the access token and a proof of its key (RFC 9449, section 7). It remembers the nonce and the
 * clock of the provider, and repeats a request that was refused because it was sent without the right ones.
 */
export class ApiClient {
  readonly #options: PhoneOptions;
  readonly #url: string;
  #nonce: string | undefined;
  /** The provider's clock minus this one, in milliseconds. */
  #skew = 0;
  /** The refresh that is under way. A refresh token that is used twice at once would end the app's grant. */
  #refresh: Promise<string> | undefined;

  /** @param url the base of all URLs, without a slash at its end */
  constructor(options: PhoneOptions, url: string) {
    this.#options = options;
    this.#url = url;
  }

  /**
   * Returns the body of the answer.
   * @throws PhoneError for a refusal, and if there is no answer of the provider
   */
  async send<Body>(method: Method, path: string, options: SendOptions = {}): Promise<Body> {
    const { accessToken } = this.#options;
    const getToken: GetAccessToken = typeof accessToken === 'string' ? () => accessToken : accessToken;
    const repeated = new Set<string>();
    let token = await getToken();
    for (;;) {
      try {
        return (await this.#sendOnce(token, method, path, options)) as Body;
      } catch (error) {
        const { code } = error as PhoneError;
        if (!(error instanceof PhoneError) || repeated.has(code)) throw error;
        const next = code === 'invalid_token' ? await this.#replace(token, getToken) : token;
        // A refusal with `use_dpop_nonce` or `invalid_dpop_proof` contains the nonce and the time that another proof
        // needs.
        if (next === token && !code.includes('dpop')) throw error;
        repeated.add(code);
        token = next;
      }
    }
  }

  #replace(refused: string, getToken: GetAccessToken): Promise<string> {
    this.#refresh ??= Promise.resolve(getToken(refused)).finally(() => {
      this.#refresh = undefined;
    });
    return this.#refresh;
  }

  async #sendOnce(token: string, method: Method, path: string, options: SendOptions): Promise<unknown> {
    // Browsers refuse a global `fetch` that is called as a method of another object.
    const { fetch = globalThis.fetch, signer, timeout = 10_000 } = this.#options;
    const { query = '', body, held = 0, signal } = options;
    const url = this.#url + path;
    throwIfAborted(signal);
    const proof = await makeProof(signer, { method, url, accessToken: token, nonce: this.#nonce, now: this.#now });
    return withLinkedAbort(signal, async (ended) => {
      // The user may have had to unlock the key, so the time begins after that.
      const timer = setTimeout(() => ended.abort(), timeout + held);
      try {
        const answer = await fetch(url + query, {
          method,
          headers: {
            Authorization: `DPoP ${token}`,
            DPoP: proof,
            ...(body && { 'Content-Type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
          signal: ended.signal,
          // Cookies are not a part of this API, and React Native would send them.
          credentials: 'omit',
          redirect: 'error',
        });
        this.#learn(answer.headers);
        return readAnswer(answer.status, answer.headers, await answer.text());
      } catch (cause) {
        throwIfAborted(signal);
        if (cause instanceof PhoneError) throw cause;
        const code = ended.signal.aborted ? 'timeout' : 'network';
        throw new PhoneError(code, 'No answer. Try again.', { cause });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /** Returns a decision as a JWS that the provider can keep, or undefined if the app does not sign them. */
  async signDecision(decision: object): Promise<string | undefined> {
    const { signer, issuer, signDecisions } = this.#options;
    if (!signDecisions) return undefined;
    return signJwt(signer, 'qr-decision+jwt', { aud: issuer, time: Math.floor(this.#now / 1000), ...decision });
  }

  /** The time of the provider, in milliseconds since 1970. */
  get #now(): number {
    return Date.now() + this.#skew;
  }

  /** Remembers the nonce (RFC 9449, section 9) and the clock of the provider. */
  #learn(headers: Headers): void {
    this.#nonce = headers.get('DPoP-Nonce') ?? this.#nonce;
    const date = Date.parse(headers.get('Date') ?? '');
    // The header has whole seconds, so the middle of that second is the best guess.
    if (date) this.#skew = date + 500 - Date.now();
  }
}

/**
 * Throws if the signal is aborted.
 * @throws the signal's reason; in engines without reasons (React Native) a PhoneError `aborted`
 */
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason ?? new PhoneError('aborted', 'Aborted.');
}

/** Calls `act` with a controller that is aborted when the signal is. React Native has no `AbortSignal.any`. */
export async function withLinkedAbort<T>(
  signal: AbortSignal | undefined,
  act: (ended: AbortController) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  signal?.addEventListener('abort', end);
  try {
    return await act(ended);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

interface Refusal {
  readonly error?: unknown;
  readonly error_description?: string;
  readonly reason?: string;
}

function readAnswer(status: number, headers: Headers, text: string): unknown {
  if (status === 204) return undefined;
  const body = parseObject(text);
  if (body && status < 300) return body;
  const { error, error_description: message = '', reason }: Refusal = body ?? {};
  const details = {
    status,
    reason,
    // A proxy may put a date in place of the seconds.
    retryAfter: Number(headers.get('Retry-After')) || undefined,
    requirement: requirementIn(headers.get('WWW-Authenticate') ?? ''),
  };
  if (typeof error === 'string') throw new PhoneError(error, message, details);
  throw new PhoneError('wrong_answer', 'No answer. Try again.', details);
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value instanceof Object ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the requirement in a challenge (RFC 9470, section 3). */
function requirementIn(challenge: string): AuthenticationRequirement | undefined {
  const maxAge = /max_age="(\d+)/.exec(challenge)?.[1];
  const acrValues = /acr_values="([^"]+)/.exec(challenge)?.[1]?.split(' ');
  return maxAge || acrValues ? { maxAge: maxAge ? Number(maxAge) : undefined, acrValues } : undefined;
}
