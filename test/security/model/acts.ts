/** Lists the acts that a test can take in the model, which has two browsers, three phones and two interactions. */
import fc, { type Arbitrary } from 'fast-check';
import type { Approver, Requirements } from '../../../src/ticket/ticket.ts';

export const START: number = Date.UTC(2026, 0, 1);
/** The end of both interactions, which is early enough that walks (random sequences of acts) reach it. */
export const ENDS: number = START + 1_000_000;

/** The approver on each phone: Alice on two of them, Bob on one. */
export const APPROVERS: readonly Approver[] = [
  { accountId: 'alice', sessionUid: 'one', authenticatedAt: START / 1000 - 600, acr: 'weak', subject: 'alice' },
  { accountId: 'alice', sessionUid: 'two', authenticatedAt: START / 1000 - 30, acr: 'strong', subject: 'alice' },
  { accountId: 'bob', sessionUid: 'one', authenticatedAt: START / 1000 - 600, acr: 'weak', subject: 'bob' },
];

/** A demand of an interaction on the approver. */
export type Demand = 'nothing' | 'bob' | 'for this request' | 'within a minute' | 'strong';

export const DEMANDS: Readonly<Record<Demand, Requirements>> = {
  nothing: {},
  bob: { subject: 'bob' },
  'for this request': { reauthenticate: true },
  'within a minute': { maxAge: 60 },
  strong: { essentialAcr: ['strong'] },
};

export interface Setup {
  /** The demand of each of the two interactions. */
  readonly demands: readonly Demand[];
  /** True if both browsers are behind one network address. */
  readonly oneSource: boolean;
  /** True if the store drops a ticket at its deadline; false if it keeps the ticket for a while. */
  readonly forgets: boolean;
}

interface AtBrowser {
  readonly browser: number;
  readonly at: number;
}

interface OnPhone {
  readonly phone: number;
  /** The ticket's id. */
  readonly ticket: string;
  /** True if the phone reads the ticket before it acts, as its requests do. */
  readonly looksFirst: boolean;
}

type Verdict = 'allow' | 'check code' | 'deny';
type TypedCode = 'right' | 'wrong' | 'nothing' | 'nonsense';

interface BrowserAccount {
  /** The account that is signed in at this browser. */
  readonly signedIn: 'alice' | 'bob' | undefined;
  readonly agrees: boolean;
}

/** One act for each name, all with the same fields. */
type Each<Name extends string, More> = Name extends string ? { readonly do: Name } & More : never;

export type Act =
  | Each<'wait', { readonly milliseconds: number }>
  | Each<'wait for the end', { readonly at: number; readonly justBefore: boolean }>
  | Each<'sign in again', { readonly phone: number }>
  | Each<'show' | 'watch' | 'cancel', AtBrowser>
  | Each<'renew', AtBrowser & { readonly seen: number | undefined }>
  | Each<'finish', AtBrowser & BrowserAccount & { readonly types: TypedCode; readonly isDisabled: boolean }>
  | Each<'sign in here', AtBrowser & BrowserAccount & { readonly phone: number }>
  | Each<'is reported', { readonly at: number }>
  | Each<'scan', OnPhone & { readonly verdict: Verdict }>
  | Each<'approve', OnPhone & { readonly verdict: Verdict; readonly remember: boolean }>
  | Each<'open' | 'deny' | 'report' | 'give up', OnPhone>;

/**
 * The first half of a report, which writes its note; the second half ends the ticket. It is not a separate act. Its
 * effect is visible only in races.
 */
export interface Note {
  readonly do: 'note';
  readonly phone: number;
  readonly ticket: string;
}

/**
 * An act before its ticket and version are known: `#2` is the last ticket but two, and `seen` is relative to the current
 * version.
 */
export type Plan = Act;

/**
 * Turns a plan into an act on a ticket.
 * @param tickets the ids of all tickets that were ever shown, in order
 * @param version returns the version of an interaction's ticket
 */
export function settle(plan: Plan, tickets: readonly string[], version: (at: number) => number): Act {
  if (plan.do === 'renew') return { ...plan, seen: plan.seen === undefined ? undefined : plan.seen + version(plan.at) };
  if (!('ticket' in plan)) return plan;
  return { ...plan, ticket: tickets.at(-1 - Number(plan.ticket.slice(1))) ?? NEVER_SHOWN };
}

const NEVER_SHOWN = 'AAAAAAAAAAAAAAAAAAAAAAAA';

const number = (count: number): Arbitrary<number> => fc.nat({ max: count - 1 });
/** Yields mostly the usual number, and sometimes any of the numbers. */
const mostly = (usual: number, count: number): Arbitrary<number> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: number(count) });

const atBrowsers: Arbitrary<AtBrowser> = mostly(0, 2).chain((at) =>
  fc.record({ browser: mostly(at, 2), at: fc.constant(at) }),
);
const accounts: Arbitrary<BrowserAccount> = fc.record({
  signedIn: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.constantFrom('alice' as const, 'bob' as const),
  ),
  agrees: fc.boolean(),
});
const verdict: Arbitrary<Verdict> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('allow' as const, 'check code' as const) },
  { weight: 1, arbitrary: fc.constant('deny' as const) },
);
const onPhones: Arbitrary<OnPhone> = fc.record({
  phone: mostly(0, 3),
  ticket: mostly(0, 4).map((back) => `#${back}`),
  looksFirst: fc.boolean(),
});

const scan: Arbitrary<Plan> = fc
  .tuple(onPhones, verdict)
  .map(([on, judged]) => ({ do: 'scan', ...on, verdict: judged }));
const approve: Arbitrary<Plan> = fc
  .tuple(onPhones, verdict, fc.boolean())
  .map(([on, judged, remember]) => ({ do: 'approve', ...on, verdict: judged, remember }));
const finish: Arbitrary<Plan> = fc
  .tuple(atBrowsers, accounts, fc.constantFrom('right', 'right', 'wrong', 'nothing', 'nonsense'), mostly(0, 2))
  .map(([where, say, types, disabled]) => ({ do: 'finish', ...where, ...say, types, isDisabled: disabled === 1 }));
const renew: Arbitrary<Plan> = fc
  .tuple(atBrowsers, fc.constantFrom(undefined, 0, -1))
  .map(([where, seen]) => ({ do: 'renew', ...where, seen }));
const signInHere: Arbitrary<Plan> = fc
  .tuple(atBrowsers, accounts, number(3))
  .map(([where, say, phone]) => ({ do: 'sign in here', ...where, ...say, phone }));

const restOnPhone = fc.constantFrom('open', 'deny', 'report', 'report', 'give up', 'give up');

/** Acts during which no time passes. */
export const timelessPlans: Arbitrary<Plan> = fc.oneof(
  { weight: 6, arbitrary: scan },
  { weight: 6, arbitrary: approve },
  { weight: 7, arbitrary: finish },
  { weight: 4, arbitrary: renew },
  { weight: 4, arbitrary: atBrowsers.map((where): Plan => ({ do: 'show', ...where })) },
  atBrowsers.map((where): Plan => ({ do: 'watch', ...where })),
  atBrowsers.map((where): Plan => ({ do: 'cancel', ...where })),
  signInHere,
  number(2).map((at): Plan => ({ do: 'is reported', at })),
  { weight: 6, arbitrary: fc.tuple(restOnPhone, onPhones).map(([what, on]): Plan => ({ do: what, ...on })) },
);

const passing: Arbitrary<Plan> = fc.oneof(
  fc.constantFrom(1, 999, 60_000, 100_000, 299_999).map((milliseconds): Plan => ({ do: 'wait', milliseconds })),
  fc.tuple(number(2), fc.boolean()).map(([at, justBefore]): Plan => ({ do: 'wait for the end', at, justBefore })),
);

/** All acts, and the passing of time. */
export const plans: Arbitrary<Plan> = fc.oneof(
  { weight: 10, arbitrary: timelessPlans },
  { weight: 2, arbitrary: passing },
  { weight: 1, arbitrary: number(3).map((phone): Plan => ({ do: 'sign in again', phone })) },
);

const demand = fc.oneof(
  { weight: 3, arbitrary: fc.constant('nothing' as const) },
  fc.constantFrom('bob' as const, 'for this request' as const, 'within a minute' as const, 'strong' as const),
);

export const setups: Arbitrary<Setup> = fc.record({
  demands: fc.tuple(demand, demand),
  oneSource: fc.boolean(),
  forgets: fc.boolean(),
});
