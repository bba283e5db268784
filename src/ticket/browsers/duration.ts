/**
 * The time that a user stays signed in at a browser: until it is closed (`session`), or a number of hours (`8h`) or
 * days (`30d`) from the moment at which it was chosen.
 */
export type Duration = 'session' | `${number}h` | `${number}d`;

/** A user's choice of how long to stay signed in: one of the durations that a deployment offers, or only yes or no. */
export interface Stay {
  /** True if the user stays signed in when the browser is closed. */
  readonly remember: boolean;
  /** Absent if the deployment offers no durations: the session then lasts as long as the provider's own setting. */
  readonly duration?: Duration;
}

const UNITS_MS = { h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;

/** The longest duration. Browsers keep no cookie longer than 400 days (RFC 6265bis, section 5.5). */
const LONGEST_MS = 400 * UNITS_MS.d;

/** A browser that is kept for no longer than this may be a shared one, so that the account does not trust it. */
const NOT_TRUSTED_MS = UNITS_MS.d;

const PATTERN = /^([1-9]\d{0,4})([hd])$/;

/** Returns the milliseconds of a text such as `8h`, or undefined for any other text. */
function parse(text: string): number | undefined {
  const [, count, unit] = PATTERN.exec(text) ?? [];
  const length = Number(count) * UNITS_MS[unit === 'd' ? 'd' : 'h'];
  return count === undefined || length > LONGEST_MS ? undefined : length;
}

/** Returns true for `session`, and for 1 hour to 400 days: `8h`, `30d`. */
export function isDuration(value: unknown): value is Duration {
  return value === 'session' || (typeof value === 'string' && parse(value) !== undefined);
}

/** Returns the milliseconds of a duration, or undefined for one that ends when the browser is closed. */
export function lengthOf(duration: Duration): number | undefined {
  return duration === 'session' ? undefined : parse(duration);
}

/** Returns the longest of several durations. */
export function longestOf(durations: readonly Duration[]): Duration | undefined {
  return inOrder(durations).at(-1);
}

/** Returns the shortest of several durations. */
export function shortestOf(durations: readonly Duration[]): Duration | undefined {
  return inOrder(durations).at(0);
}

function inOrder(durations: readonly Duration[]): Duration[] {
  return [...durations].sort((one, other) => (lengthOf(one) ?? 0) - (lengthOf(other) ?? 0));
}

/**
 * Returns true if the account trusts the browser from this sign-in on: its user stays signed in there, and for longer
 * than a day.
 */
export function isTrusting({ remember, duration }: Stay): boolean {
  return remember && (duration === undefined || (lengthOf(duration) ?? 0) > NOT_TRUSTED_MS);
}
