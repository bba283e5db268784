/** Tickets in every state, with their approvers and requests, built without the transitions. */
import type { Keyv } from 'keyv';
import { KeyvBrowserList } from '../../src/stores/memory/browser-list.ts';
import { BlockList } from '../../src/ticket/blocks.ts';
import { QrLoginError } from '../../src/ticket/errors.ts';
import type { Clock } from '../../src/ticket/ports.ts';
import type {
  ApprovedTicket,
  Browser,
  CancelledTicket,
  DeniedTicket,
  RedeemedTicket,
  ScannedTicket,
  SessionApprover,
  SignInRequest,
  WaitingTicket,
} from '../../src/ticket/ticket.ts';
import type { Lifetimes, Moment } from '../../src/ticket/transitions.ts';

export const NOW: number = Date.UTC(2026, 0, 1);
/** The times at which the tickets entered their state, at which they expire, and at which their interaction ends. */
const SINCE: number = NOW - 5_000;
export const DEADLINE: number = NOW + 50_000;
export const ENDS_AT: number = NOW + 3_600_000;
/** All lifetimes differ, so that a step that uses the wrong one is noticed. */
export const LIFETIMES: Lifetimes = { scan: 100_000, decide: 200_000, finish: 300_000, signIn: 400_000 };

export const TICKET_ID = 'AAAAAAAAAAAAAAAAAAAAAAAA';
export const SECRETS: readonly string[] = ['a secret of at least thirty-two characters'];

export function at(now: number): Moment {
  return { now, lifetimes: LIFETIMES };
}

export function alice(more: Partial<SessionApprover> = {}): SessionApprover {
  return {
    accountId: 'alice',
    sessionUid: 'session-of-alice',
    authenticatedAt: NOW / 1000 - 600,
    acr: 'urn:example:password',
    amr: ['pwd'],
    ...more,
  };
}

export function bob(): SessionApprover {
  return { accountId: 'bob', sessionUid: 'session-of-bob', authenticatedAt: NOW / 1000 - 60 };
}

export function signInRequest(more: Partial<SignInRequest> = {}): SignInRequest {
  return {
    client: { id: 'rp', name: 'An app', host: 'rp.example' },
    scopes: ['openid', 'profile'],
    locales: ['en'],
    requirements: {},
    ...more,
  };
}

export function browserOf(binding: string): Browser {
  return { binding, source: '192.0.2.1', address: '192.0.2.1', name: 'Firefox', system: 'Linux' };
}

type StateField = 'state' | 'approver' | 'checkCode' | 'because';

function fixed(version: number): Omit<WaitingTicket, StateField> {
  return {
    id: TICKET_ID,
    version,
    interaction: 'interaction',
    request: signInRequest(),
    browser: browserOf('binding'),
    shownAt: NOW - 10_000,
    since: SINCE,
    deadline: DEADLINE,
    endsAt: ENDS_AT,
  };
}

export function waiting(more: Partial<WaitingTicket> = {}): WaitingTicket {
  return { ...fixed(1), state: 'waiting', ...more };
}

export function scanned(more: Partial<ScannedTicket> = {}): ScannedTicket {
  return { ...fixed(2), state: 'scanned', approver: alice(), ...more };
}

export function approved(more: Partial<ApprovedTicket> = {}): ApprovedTicket {
  return { ...fixed(3), state: 'approved', approver: alice(), remember: false, ...more };
}

export function denied(more: Partial<DeniedTicket> = {}): DeniedTicket {
  return { ...fixed(3), state: 'denied', approver: alice(), because: 'person', ...more };
}

export function redeemed(more: Partial<RedeemedTicket> = {}): RedeemedTicket {
  return { ...fixed(4), state: 'redeemed', approver: alice(), remember: false, approvedAt: SINCE, ...more };
}

export function cancelled(more: Partial<CancelledTicket> = {}): CancelledTicket {
  return { ...fixed(4), state: 'cancelled', because: 'browser', ...more };
}

/** Returns the error that an act throws. */
export function refusal(act: () => unknown): QrLoginError {
  try {
    act();
  } catch (error) {
    return asRefusal(error);
  }
  throw new Error('the act was not refused');
}

/** Returns the error that an asynchronous act rejects with. */
export async function awaitRefusal(act: Promise<unknown>): Promise<QrLoginError> {
  const error = await act.then(
    () => new Error('the act was not refused'),
    (reason: unknown) => reason,
  );
  return asRefusal(error);
}

function asRefusal(error: unknown): QrLoginError {
  if (error instanceof QrLoginError) return error;
  throw error;
}

/** Returns the lists of blocks in a Keyv. */
export function blocksIn(keyv: Keyv, clock: Clock): BlockList {
  return new BlockList({
    ofAccount: new KeyvBrowserList(keyv, 'blocks', clock),
    ofAll: new KeyvBrowserList(keyv, 'all blocks', clock),
  });
}
