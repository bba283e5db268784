import { warn } from '../../oidc/call-listener.ts';
import { TooLate, withDeadline } from '../../stores/deadline.ts';
import { QrLoginError, refusalIn } from '../../ticket/errors.ts';

/** The default time that a function of the deployment may take, in milliseconds. */
export const HOOK_PATIENCE_MS = 5_000;

/** A function of the deployment, and the values that it may return. */
export interface Hook<T> {
  /** Its name in messages: `assess`, or `guard.verify`. */
  readonly name: string;
  /** The values that it may return, in words, for the message about another value. */
  readonly returns: string;
  /** Returns true if the value is one of them. A `null` arrives here as `undefined`. */
  readonly isResult: (value: unknown) => value is T;
  /** Returns true if the function may throw this error to refuse a request. */
  readonly mayThrow?: (error: unknown) => boolean;
}

/**
 * Calls a function of the deployment for a request that waits for it.
 * @param patienceMs the longest time in milliseconds. After that the function runs on, and its result is dropped.
 * @throws QrLoginError `hook_timeout` if the function takes longer, `server_error` if it throws or returns another
 *   value than it may. The cause is an Error with the name of the function. Errors of this package are passed on.
 */
export async function callHook<T>(hook: Hook<T>, patienceMs: number, call: () => unknown): Promise<T> {
  try {
    const result = await resultOf(hook, patienceMs, call);
    if (hook.isResult(result)) return result;
    throw wrongResult(hook, result);
  } catch (error) {
    if (refusalIn(error) !== undefined || hook.mayThrow?.(error)) throw error;
    if (error instanceof Error && error.cause instanceof TooLate) throw hookTimeout(error);
    throw serverError(error);
  }
}

/** Returns the error for a function that has returned a value that it may not return. */
export function wrongResult({ name, returns }: Pick<Hook<unknown>, 'name' | 'returns'>, result: unknown): TypeError {
  return new TypeError(`${name}() must return ${returns}, not ${describe(result)}`);
}

/** Calls a function of the deployment that no request waits for. An error becomes a warning of the process. */
export function callInBackground(name: string, call: () => unknown): void {
  Promise.resolve()
    .then(call)
    .catch((cause: unknown) => warn(hookFailure(name, cause)));
}

/** Returns the error for a function of the deployment that has thrown. */
function hookFailure(name: string, cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error(`${name}() threw ${describe(cause)}, which is no Error`, { cause });
  return new Error(`${name}() failed: ${cause.message}`, { cause });
}

/** Returns the refusal for a fault that no request can be blamed for. */
export function serverError(fault: unknown): QrLoginError {
  const cause =
    fault instanceof Error ? fault : new Error(`${describe(fault)} was thrown, which is no Error`, { cause: fault });
  return new QrLoginError('server_error', 'There is a fault on the side of the provider. Try again in a moment.', {
    cause,
  });
}

function hookTimeout(cause: Error): QrLoginError {
  return new QrLoginError('hook_timeout', 'A service of the provider takes too long. Try again in a moment.', {
    cause,
  });
}

/**
 * Returns what a function of the deployment returns, without a check. A `null` becomes `undefined`.
 * @throws Error with the name of the function. What the function has thrown is its cause.
 */
export async function resultOf(
  hook: Pick<Hook<unknown>, 'name' | 'mayThrow'>,
  patienceMs: number,
  call: () => unknown,
): Promise<unknown> {
  try {
    const result = call();
    // Many functions return at once and need no timer.
    return (isThenable(result) ? await withDeadline(Promise.resolve(result), patienceMs) : result) ?? undefined;
  } catch (cause) {
    if (refusalIn(cause) !== undefined || hook.mayThrow?.(cause)) throw cause;
    if (!(cause instanceof TooLate)) throw hookFailure(hook.name, cause);
    throw new Error(`${hook.name}() did not answer within ${patienceMs / 1000} s`, { cause });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The most characters of a text in a message. */
const MAX_SHOWN_CHARACTERS = 60;

/** Describes a value for a log. Of an object it names the members only: their values may be secrets of an account. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN_CHARACTERS));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${describe(value[0])}`;
  const names = Object.keys(value).join(', ').slice(0, MAX_SHOWN_CHARACTERS);
  return names === '' ? 'an object without members' : `an object with ${names}`;
}
