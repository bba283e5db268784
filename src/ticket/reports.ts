import type { BlockedOrigin, BlockList } from './blocks.ts';
import type { CeremonyPorts } from './change.ts';
import type { Notes } from './ports.ts';
import type { Verdict } from './risk.ts';
import type { SecretKeys } from './secret-keys.ts';
import { type Approver, isLive, isOwner, isSignIn, type Ticket } from './ticket.ts';
import * as transitions from './transitions.ts';

type NotePorts = Pick<CeremonyPorts, 'keys' | 'notes'>;

export interface ReportPorts extends NotePorts, Pick<CeremonyPorts, 'clock'> {
  readonly blocks: Pick<BlockList, 'put' | 'find'>;
}

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
export const REPORT_LIFETIME_MS: number = 60 * 60 * 1000;

/** The text of a note whose block an operator has lifted. */
const LIFTED = 'lifted';

/** Returns true if this account has reported this origin. */
export function isReported({ keys, notes }: NotePorts, accountId: string, origin: ReportedOrigin): Promise<boolean> {
  return isNoted(notes, reportNames(keys, accountId, origin));
}

/**
 * Notes that this account has reported this origin, and lists the block. An operator's block that lasts longer stays.
 * @returns false if the origin was blocked already
 */
export async function noteReport(ports: ReportPorts, accountId: string, origin: ReportedOrigin): Promise<boolean> {
  const { blocks, clock } = ports;
  const now = clock();
  const [isNoted, before] = await Promise.all([
    isReported(ports, accountId, origin),
    blocks.find(accountId, blockedOriginOf(origin)),
  ]);
  const endsAt = Math.max(now + REPORT_LIFETIME_MS, before?.endsAt ?? 0);
  await noteBlock(ports, accountId, origin, endsAt - now);
  await blocks.put({ ...blockedOriginOf(origin), accountId, by: 'user', lastUsedAt: now, endsAt });
  return !isNoted;
}

/** Refuses to this account what comes from this origin. @param lasts the time in milliseconds */
export async function noteBlock(
  { keys, notes }: NotePorts,
  accountId: string,
  origin: ReportedOrigin,
  lasts: number,
): Promise<void> {
  await notes.write(currentName(keys, accountId, origin), lasts);
}

/**
 * Lifts a block. The note says so for as long as the block would have lasted, because an older one may exist under an
 * older key.
 */
export async function noteLifted(
  { keys, notes }: NotePorts,
  accountId: string,
  origin: ReportedOrigin,
  lasts: number,
): Promise<void> {
  await notes.write(currentName(keys, accountId, origin), lasts, LIFTED);
}

/** Returns the part of an origin that counts: its client, if it asks for something other than a sign-in. */
function blockedOriginOf({ source, actionOf }: ReportedOrigin): BlockedOrigin {
  return actionOf === undefined ? { source } : { clientId: actionOf };
}

/** Returns the origin of a block, as reports count it. */
export function reportedOriginOfBlock(origin: BlockedOrigin): ReportedOrigin {
  return 'clientId' in origin ? { source: '', actionOf: origin.clientId } : { source: origin.source };
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

function currentName(keys: SecretKeys, accountId: string, origin: ReportedOrigin): string {
  const [name = ''] = reportNames(keys, accountId, origin);
  return name;
}

/** Returns true if there is a note under one of the names, and the one under the newest key was not lifted. */
async function isNoted(notes: Notes, names: readonly string[]): Promise<boolean> {
  const texts = await Promise.all(names.map((name) => notes.read(name)));
  const newest = texts.find((text) => text !== undefined);
  return newest !== undefined && newest !== LIFTED;
}
