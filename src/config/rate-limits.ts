import * as v from 'valibot';
import type { AccountLimit, AddressAct } from '../http/request/rate-limits.ts';
import type { Rate } from '../stores/rate-limit.ts';
import { formatValue, strictObject } from './strict-object.ts';

/**
 * The number of requests that are allowed in a minute, by act. `checkCode` is the number of wrong check codes in an
 * hour, and `consecutiveCheckCodes` the number of wrong check codes in a row, 1 to 100. Acts that are left out keep
 * their default.
 */
export interface LimitOptions {
  readonly address?: Partial<Record<AddressAct, number | undefined>> | undefined;
  readonly account?: Partial<Record<AccountLimit, number | undefined>> | undefined;
}

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
/**
 * The time for which wrong check codes in a row are counted. It is below 24 days, because a process that does not reach
 * Redis counts with timers, which cannot wait longer.
 */
const SERIES_S = 21 * 24 * HOUR_S;
const MOST_TIMES = 1_000_000;
/** The most wrong check codes in a row (NIST SP 800-63B-4, section 3.2.2). */
const MOST_CONSECUTIVE = 100;

type RateSchema = v.OptionalSchema<v.GenericSchema<number, Rate>, number>;

/**
 * Returns the schema of a whole number of times within some seconds.
 * @param times the default
 * @param most the largest number that is allowed
 */
function rate(name: string, times: number, within: number = MINUTE_S, most: number = MOST_TIMES): RateSchema {
  const message = ({ input }: v.BaseIssue<unknown>): string =>
    `limits.${name} must be a whole number from 1 to ${most.toLocaleString('en')}, not ${formatValue(input)}`;
  const whole = v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(1, message),
    v.maxValue(most, message),
    v.transform((allowed): Rate => ({ times: allowed, within })),
  );
  return v.optional(whole, times);
}

/**
 * The limits by address. They are generous, because an office or a carrier may have one address, and a sign-in takes
 * about ten requests.
 */
const ADDRESS: Record<AddressAct, RateSchema> = {
  // An authorization request is kept in the store for an hour.
  start: rate('address.start', 120),
  show: rate('address.show', 120),
  watch: rate('address.watch', 600),
  finish: rate('address.finish', 120),
  scan: rate('address.scan', 120),
  // Few users type a short code. A guessed short code still needs the check code.
  shortCode: rate('address.shortCode', 20),
  decide: rate('address.decide', 120),
  // The server of a client has one address, and asks for many users.
  request: rate('address.request', 600),
};

/** The limits by account. They are tight, because an attacker may have many addresses. */
const ACCOUNT: Record<AccountLimit, RateSchema> = {
  scan: rate('account.scan', 20),
  shortCode: rate('account.shortCode', 6),
  decide: rate('account.decide', 40),
  // A person asks once. Each request that is let through rings a phone.
  request: rate('account.request', 6),
  // Four sign-ins with three wrong tries each, against a million codes (NIST SP 800-63B-4, section 3.2.2).
  checkCode: rate('account.checkCode', 12, HOUR_S),
  // Half of the number that NIST SP 800-63B-4 allows: seventeen sign-ins with only wrong tries.
  consecutiveCheckCodes: rate('account.consecutiveCheckCodes', 50, SERIES_S, MOST_CONSECUTIVE),
};

/** The schema of the option `limits`, unless that is `false`. */
export const LIMITS: v.GenericSchema<
  LimitOptions,
  { address: Record<AddressAct, Rate>; account: Record<AccountLimit, Rate> }
> = strictObject(
  { address: v.optional(group('address', ADDRESS), {}), account: v.optional(group('account', ACCOUNT), {}) },
  {
    kind: 'limit',
    otherwise: (value) =>
      `limits must be an object such as { address: { show: 120 } }, or false for no limits, not ${formatValue(value)}`,
  },
);

function group<Act extends AccountLimit | AddressAct>(
  by: string,
  rates: Record<Act, RateSchema>,
): v.GenericSchema<Partial<Record<Act, number | undefined>>, Record<Act, Rate>> {
  return strictObject(rates, {
    kind: `limit by ${by}`,
    otherwise: (value) =>
      `limits.${by} must be an object such as { scan: 20 }, for 20 scans a minute by one ${by}, not ${formatValue(value)}`,
  });
}

/** Returns the defaults: requests a minute, wrong check codes an hour, and wrong ones in a row. */
export function defaultLimits(): Required<LimitOptions> {
  return { address: defaultsOf(ADDRESS), account: defaultsOf(ACCOUNT) };
}

function defaultsOf<Act extends string>(rates: Record<Act, RateSchema>): Partial<Record<Act, number>> {
  const defaults = Object.entries<RateSchema>(rates).map(([act, { default: times }]) => [act, times]);
  return Object.fromEntries(defaults) as Partial<Record<Act, number>>;
}
