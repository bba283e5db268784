import type { CeremonyPorts } from './change.ts';
import type { Notes } from './ports.ts';
import type { Verdict } from './risk.ts';
import type { SecretKeys } from './secret-keys.ts';
import { type Approver, isLive, isOwner, isSignIn, type Ticket } from './ticket.ts';
import * as transitions from './transitions.ts';

type ReportPorts = Pick<CeremonyPorts, 'keys' | 'notes'>;

/** The origin of a ticket, as reports count it. */
export interface ReportedOrigin {
  /** The network address that the browser's requests come from. */
  readonly source: string;
  /** The client, if it asks for something other than a sign-in. It then counts instead of the address. */
  readonly actionOf?: string;
}

/** Returns the origin of a ticket: the browser's network address for a sign-in, the client for another request. */
export function reportedOriginOf({ request, browser }: Pick<Ticket, 'request' | 'browser'>): ReportedOrigin {
  const { source } = browser;
  return isSignIn(request) ? { source } : { source, actionOf: request.client.id };
}

/** The time for which the account refuses sign-ins from the reported network address, or requests of the client. */
const REPORT_LIFETIME_MS = 60 * 60 * 1000;

/** Returns true if this account has reported this origin. */
export function isReported({ keys, notes }: ReportPorts, accountId: string, origin: ReportedOrigin): Promise<boolean> {
  return isNoted(notes, reportNames(keys, accountId, origin));
}

/**
 * Notes that this account has reported this origin.
 * @returns false if that was noted already
 */
export async function noteReport(
  { keys, notes }: ReportPorts,
  accountId: string,
  origin: ReportedOrigin,
): Promise<boolean> {
  const [noteName = '', ...olderNames] = reportNames(keys, accountId, origin);
  const isNew = !(await isNoted(notes, [noteName, ...olderNames]));
  await notes.write(noteName, REPORT_LIFETIME_MS);
  return isNew;
}

/** Returns the judgement. Its verdict is `blocked` if the origin was reported, whatever the deployment's verdict is. */
export async function denyIfReported<T extends { readonly verdict: Verdict }>(
  judging: Promise<T>,
  reported: Promise<boolean>,
): Promise<Omit<T, 'verdict'> & { readonly verdict: Verdict | 'blocked' }> {
  const [hasReported, judgement] = await Promise.all([reported, judging]);
  return hasReported ? { ...judgement, verdict: 'blocked' } : judgement;
}

/**
 * Applies a report to the ticket that the interaction shows now: ends it if it is waiting, or if this approver has
 * scanned it. Otherwise the ticket stays as it is.
 */
export function applyReport(ticket: Ticket, approver: Approver, moment: transitions.Moment): Ticket {
  if (!isLive(ticket, moment.now)) return ticket;
  if (ticket.state === 'waiting') return transitions.reportNext(ticket, approver, moment);
  return isOwner(ticket, approver) ? transitions.report(ticket, approver, moment) : ticket;
}

/**
 * Returns the names that the note of an account's report may have. A name is a MAC. The first one
 * is made with the current key, and a new note is written under it. The others are made with older keys.
 */
export function reportNames(keys: SecretKeys, accountId: string, { source, actionOf }: ReportedOrigin): string[] {
  const origin = actionOf === undefined ? [source] : ['action', actionOf];
  return keys.candidates('report', accountId, ...origin).map((mac) => mac.toString('base64url'));
}

/** Returns true if a note exists under any of the names. */
async function isNoted(notes: Notes, names: readonly string[]): Promise<boolean> {
  return (await Promise.all(names.map((name) => notes.read(name)))).some((note) => note !== undefined);
}
