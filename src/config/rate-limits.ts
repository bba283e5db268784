import type { AccountLimit, AddressAct, Limits } from '../http/request/rate-limits.ts';
import type { Rate } from '../stores/rate-limit.ts';
import { assertKnown, assertObject } from './checks.ts';

/** Requests a minute, by what they are for; wrong check codes an hour. What is left out keeps its default. */
export interface LimitOptions {
  readonly address?: Partial<Record<AddressAct, number>>;
  readonly account?: Partial<Record<AccountLimit, number>>;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Generous to an office or a carrier behind one address, where a sign-in takes about ten requests; tight for one account. */
const LIMITS: Limits = {
  address: {
    show: { times: 120, within: MINUTE },
    watch: { times: 600, within: MINUTE },
    finish: { times: 120, within: MINUTE },
    scan: { times: 120, within: MINUTE },
    // Few people type. What guessing leads to takes the check code as well.
    shortCode: { times: 20, within: MINUTE },
    decide: { times: 120, within: MINUTE },
  },
  account: {
    scan: { times: 20, within: MINUTE },
    shortCode: { times: 6, within: MINUTE },
    decide: { times: 40, within: MINUTE },
    // Of a million codes, four sign-ins' worth of tries (NIST SP 800-63B-4, section 3.2.2).
    checkCode: { times: 12, within: HOUR },
  },
};

/** @throws TypeError that says which limit is wrong and what to write instead */
export function checkedLimits(given: LimitOptions = {}): Limits {
  assertObject('limits', given);
  assertKnown('limit', given, ['address', 'account']);
  return {
    address: checkedRates('address', given.address, LIMITS.address),
    account: checkedRates('account', given.account, LIMITS.account),
  };
}

function checkedRates<Act extends string>(
  by: string,
  given: Partial<Record<Act, number>> = {},
  usual: Readonly<Record<Act, Rate>>,
): Readonly<Record<Act, Rate>> {
  assertObject(`limits.${by}`, given);
  assertKnown(`limit by ${by}`, given, Object.keys(usual));
  const rates = Object.entries<Rate>(usual).map(([act, { times, within }]): [string, Rate] => {
    const wanted = given[act as Act] ?? times;
    if (Number.isInteger(wanted) && wanted >= 1 && wanted <= 1_000_000) return [act, { times: wanted, within }];
    throw new TypeError(`limits.${by}.${act} must be a whole number from 1 to 1,000,000, not ${wanted}`);
  });
  return Object.fromEntries(rates) as Readonly<Record<Act, Rate>>;
}
