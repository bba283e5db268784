import type { Keys } from './keys.ts';
import { remembers } from './memory.ts';
import type { Approver, SignInRequest, Ticket } from './ticket.ts';

/** What is known when a person approves. */
export interface RiskContext {
  readonly accountId: string;
  readonly request: SignInRequest;
  readonly browser: {
    readonly address?: string;
    readonly name?: string;
    readonly system?: string;
    /** Whether this account was signed in to this browser by QR before. */
    readonly known: boolean;
  };
  readonly phone: { readonly address?: string };
}

/**
 * When the browser must type the six digits that the phone shows.
 *
 * - `'auto'`: unless this account was signed in to this browser before, or browser and phone share a network address.
 * - `'always'`, `'never'`: as they say.
 * - a function: true asks for them.
 */
export type CheckCodePolicy = 'auto' | 'always' | 'never' | ((context: RiskContext) => boolean | Promise<boolean>);

export async function needsCheckCode(policy: CheckCodePolicy, context: RiskContext): Promise<boolean> {
  if (policy === 'always') return true;
  if (policy === 'never') return false;
  if (policy === 'auto') return !context.browser.known && !shareAddress(context);
  return policy(context);
}

export function riskContext(keys: Keys, ticket: Ticket, approver: Approver, phoneAddress?: string): RiskContext {
  const { address, name, system, memory } = ticket.browser;
  return {
    accountId: approver.accountId,
    request: ticket.request,
    browser: {
      ...(address !== undefined && { address }),
      ...(name !== undefined && { name }),
      ...(system !== undefined && { system }),
      known: remembers(keys, memory, approver.accountId),
    },
    phone: phoneAddress === undefined ? {} : { address: phoneAddress },
  };
}

function shareAddress({ browser, phone }: RiskContext): boolean {
  return browser.address !== undefined && browser.address === phone.address;
}
