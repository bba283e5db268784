import type { Keys } from './keys.ts';
import { remembers } from './memory.ts';
import type { Approver, Browser, Place, SignInRequest, Ticket } from './ticket.ts';

/** What is known of a device, as far as it can be told. */
export interface Device {
  /** Its network address; absent where no trustworthy one is known. */
  readonly address?: string;
  /** Where that address is; absent unless the deployment knows (`locate`). */
  readonly place?: Place;
  /** What it claims to be: at most 512 characters. */
  readonly userAgent?: string;
}

/** What is known when a phone scans, and again when it approves. */
export interface RiskContext {
  readonly accountId: string;
  /** Who asks, for what, and what it demands of the approver. */
  readonly request: SignInRequest;
  readonly browser: Device & {
    readonly name?: string;
    readonly system?: string;
    /** Whether this account was signed in to this browser by QR before. */
    readonly known: boolean;
    /** How many accounts were; the browser remembers the last five. */
    readonly accounts: number;
  };
  readonly phone: Device;
}

/** What a sign-in takes: a tap; the check code that the phone shows and the browser must type; or it is refused. */
export type Verdict = 'allow' | 'check code' | 'deny';

export const VERDICTS: readonly Verdict[] = ['allow', 'check code', 'deny'];

/** The deployment's judgement of a sign-in. */
export type Assess = (context: RiskContext) => Verdict | Promise<Verdict>;

/**
 * Asks for the check code, unless this account was signed in to this browser before, or browser and phone share a network
 * address. A judgement of your own may fall back on it.
 */
export function assessByDefault({ browser, phone }: RiskContext): Verdict {
  const isTogether = browser.address !== undefined && browser.address === phone.address;
  return browser.known || isTogether ? 'allow' : 'check code';
}

export function riskContext(keys: Keys, ticket: Ticket, approver: Approver, phone: Device): RiskContext {
  const { binding: _binding, source: _source, memory, ...browser } = ticket.browser;
  return {
    accountId: approver.accountId,
    request: ticket.request,
    browser: { ...browser, known: remembers(keys, memory, approver.accountId), accounts: memory?.proofs.length ?? 0 },
    phone,
  };
}

/** The names of an account's report, which stands for whoever asked from there: as it is written now, then as it was by older keys. */
export function reportsOf(keys: Keys, accountId: string, { source }: Browser): string[] {
  return keys.candidates('report', accountId, source).map((mac) => mac.toString('base64url'));
}
