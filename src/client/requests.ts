/** Requests to the provider. Each has a deadline, and only an answer of the provider itself counts as an answer. */

/** An answer of the provider, and not a page of a proxy or of a captive portal. */
export interface Answer<Body> {
  readonly status: number;
  /** Seconds until a retry is allowed, after a 429 or 503; otherwise 0. */
  readonly retryAfter: number;
  readonly body: Body;
}

/** The body of every refusal. */
export interface Refusal {
  readonly error: string;
  readonly reason?: string;
}

/** The longest wait for an answer that the server gives at once. */
const ANSWER_WITHIN_MS = 10_000;
const RETRY_AFTER_MS = 2_000;

/** Limits of a request. */
export interface RequestLimits {
  /** The longest wait for the whole answer, in milliseconds. */
  readonly within?: number;
  /** Ends the request when it is aborted. */
  readonly until?: AbortSignal | undefined;
}

/**
 * Sends one request.
 * @returns the answer; undefined if none came in time, or if it is not the provider's: the network is down, the body
 * was cut, or a proxy answered in its place
 */
async function send<Body>(
  url: string,
  init: RequestInit,
  { within = ANSWER_WITHIN_MS, until }: RequestLimits = {},
): Promise<Answer<Body | Refusal> | undefined> {
  const ended = new AbortController();
  const abort = (): void => ended.abort();
  const timer = setTimeout(abort, within);
  until?.addEventListener('abort', abort);
  try {
    // The provider never redirects these requests. A captive portal does.
    const response = await fetch(url, { ...init, redirect: 'error', cache: 'no-store', signal: ended.signal });
    const body: unknown = await response.json();
    if (typeof body !== 'object' || body === null || !(response.ok || 'error' in body)) return undefined;
    const retryAfter = Number(response.headers.get('Retry-After') ?? 0) || 0;
    return { status: response.status, retryAfter, body: body as Body | Refusal };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    until?.removeEventListener('abort', abort);
  }
}

export function get<Body>(url: string, limits?: RequestLimits): Promise<Answer<Body | Refusal> | undefined> {
  return send<Body>(url, { headers: { Accept: 'application/json' } }, limits);
}

export function post<Body>(url: string, fields: Record<string, string>): Promise<Answer<Body | Refusal> | undefined> {
  return send<Body>(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(fields),
  });
}

/**
 * Sends a POST until the server has decided on it. The request must be one that may be repeated.
 * @param onAttempt is called after each attempt, with false if there was no answer or a server error
 * @param makeFields is called for each attempt
 */
export async function postUntilAnswered<Body>(
  url: string,
  makeFields: () => Promise<Record<string, string>>,
  onAttempt: (isAnswered: boolean) => void,
): Promise<Answer<Body | Refusal>> {
  for (;;) {
    const answer = await postWhile<Body>(url, makeFields, onAttempt, () => true);
    if (answer !== undefined) return answer;
  }
}

/**
 * Does the same as {@link postUntilAnswered}, but only as long as the request is wanted.
 * @returns the decision; undefined if the request is not wanted any more. `onAttempt` is not called for an undecided
 * attempt during which that happened.
 */
export async function postWhile<Body>(
  url: string,
  makeFields: () => Promise<Record<string, string>>,
  onAttempt: (isAnswered: boolean) => void,
  isWanted: () => boolean,
): Promise<Answer<Body | Refusal> | undefined> {
  do {
    const answer = await post<Body>(url, await makeFields());
    // Like a missing answer, a server error or a 429 is temporary.
    const isDecided = answer !== undefined && answer.status < 500 && answer.status !== 429;
    if (isDecided || isWanted()) onAttempt(isDecided || answer?.status === 429);
    if (isDecided) return answer;
    await pause(Math.max(RETRY_AFTER_MS, (answer?.retryAfter ?? 0) * 1000));
  } while (isWanted());
  return undefined;
}

export function isRefusal<Body extends object>(body: Body | Refusal): body is Refusal {
  return 'error' in body;
}

export function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
