import { isSignedDecision } from '../audit/signed-record.ts';
import type { AppGrants } from '../http/api/app-grants.ts';
import type { BrowserLists } from '../http/devices/browser-lists.ts';
import type { BrowserPasskeyList } from '../http/devices/browser-passkey-list.ts';
import type { Enrolments } from '../http/devices/enrolments.ts';
import type { ActivityRecorder } from '../http/events/activity.ts';
import type { Provider } from '../oidc/provider.ts';
import type { Block, BlockedOrigin, BlockList } from '../ticket/blocks.ts';
import type { Notes } from '../ticket/ports.ts';
import { isReported, noteBlock, noteLifted, REPORT_LIFETIME_MS, reportedOriginOfBlock } from '../ticket/reports.ts';
import type { SecretKeys } from '../ticket/secret-keys.ts';
import { type AccountRecordPorts, readAccount, wholeAccount } from './account-records.ts';
import type { AdminAct, AdminBlock, AdminSignOut, QrAdmin } from './admin.ts';
import { announceAct } from './admin-event.ts';
import { exportLines } from './export-lines.ts';

export interface AdminPorts extends AccountRecordPorts {
  readonly provider: Provider;
  readonly activity: Pick<ActivityRecorder, 'read'>;
  readonly blocks: BlockList;
  readonly notes: Notes;
  readonly keys: SecretKeys;
  readonly browserLists: Pick<BrowserLists, 'listSignedIn' | 'end'>;
  readonly enrolments: Pick<Enrolments, 'forget'>;
  readonly appGrants: Pick<AppGrants, 'list' | 'end'>;
  readonly browserPasskeyList: Pick<BrowserPasskeyList, 'list' | 'remove'>;
}

/** The limits of a block's time, in seconds. */
const SHORTEST_BLOCK_S = 60;
const LONGEST_BLOCK_S = 30 * 24 * 3600;
/** The longest network address or client id of a block, in characters. */
const LONGEST_ORIGIN = 200;

/** Makes the functions for operators. */
export function makeAdmin(ports: AdminPorts): QrAdmin {
  const { provider, activity, blocks, browserLists, enrolments, appGrants, browserPasskeyList } = ports;
  const admin: QrAdmin = {
    activity: () => activity.read(),
    blocks: async (accountId) => (await blocks.list(accountId)).map(describeBlock),
    block: async (act, accountId, origin, seconds = REPORT_LIFETIME_MS / 1000) => {
      const block = await addBlock(ports, accountId, checkOrigin(origin), checkSeconds(seconds));
      announceAct(provider, act, { act: 'block', accountId, target: targetOf(origin) });
      return describeBlock(block);
    },
    lift: (act, accountId, origin) => lift(ports, act, accountId, checkOrigin(origin)),
    account: (accountId) => readAccount(ports, accountId),
    signOut: async (act, accountId, browserId) => {
      const ended = await browserLists.end(act.ctx, wholeAccount(accountId), browserId);
      announceAct(provider, act, { act: 'sign-out', accountId, target: browserId });
      return describeSignOut(ended);
    },
    forgetBrowser: async (act, accountId, browserId) => {
      await enrolments.forget(act.ctx, accountId, browserId);
      announceAct(provider, act, { act: 'forget', accountId, target: browserId });
    },
    endApp: async (act, accountId, appId) => {
      if (!(await appGrants.end(act.ctx, accountId, appId))) return false;
      announceAct(provider, act, { act: 'end-app', accountId, target: appId });
      return true;
    },
    removePasskey: async (act, accountId, passkeyId) => {
      await browserPasskeyList.remove(accountId, passkeyId);
      announceAct(provider, act, { act: 'remove-passkey', accountId, target: passkeyId });
    },
    verifyDecision: isSignedDecision,
    exportLines: (sources = {}) => exportLines(admin, sources),
  };
  return admin;
}

/** Returns functions that call those of the attached plugin. @param attached throws a TypeError before `attach` */
export function adminOf(attached: () => QrAdmin): QrAdmin {
  return {
    activity: async () => attached().activity(),
    blocks: async (accountId) => attached().blocks(accountId),
    block: async (act, accountId, origin, seconds) => attached().block(act, accountId, origin, seconds),
    lift: async (act, accountId, origin) => attached().lift(act, accountId, origin),
    account: async (accountId) => attached().account(accountId),
    signOut: async (act, accountId, browserId) => attached().signOut(act, accountId, browserId),
    forgetBrowser: async (act, accountId, browserId) => attached().forgetBrowser(act, accountId, browserId),
    endApp: async (act, accountId, appId) => attached().endApp(act, accountId, appId),
    removePasskey: async (act, accountId, passkeyId) => attached().removePasskey(act, accountId, passkeyId),
    verifyDecision: async (record) => attached().verifyDecision(record),
    exportLines: (sources) => attached().exportLines(sources),
  };
}

async function addBlock(
  { blocks, notes, keys, clock }: AdminPorts,
  accountId: string,
  origin: BlockedOrigin,
  seconds: number,
): Promise<Block> {
  const now = clock();
  await noteBlock({ notes, keys }, accountId, reportedOriginOfBlock(origin), seconds * 1000);
  return blocks.put({ ...origin, accountId, by: 'operator', lastUsedAt: now, endsAt: now + seconds * 1000 });
}

/** Lifts the block of an origin, also one that has left the list. */
async function lift(ports: AdminPorts, act: AdminAct, accountId: string, origin: BlockedOrigin): Promise<boolean> {
  const { provider, blocks, notes, keys, clock } = ports;
  const reported = reportedOriginOfBlock(origin);
  const [listed, isBlocked] = await Promise.all([
    blocks.find(accountId, origin),
    isReported({ notes, keys }, accountId, reported),
  ]);
  // The note lasts as long as the block could, because the list may have lost it.
  const lasts = Math.max(REPORT_LIFETIME_MS, (listed?.endsAt ?? 0) - clock());
  await noteLifted({ notes, keys }, accountId, reported, lasts);
  await blocks.remove(accountId, origin);
  if (isBlocked) announceAct(provider, act, { act: 'lift', accountId, target: targetOf(origin) });
  return isBlocked;
}

function describeBlock(block: Block): AdminBlock {
  const { accountId, by, lastUsedAt: at, endsAt } = block;
  return { accountId, ...originOf(block), by, at, endsAt };
}

function originOf(origin: BlockedOrigin): BlockedOrigin {
  return 'clientId' in origin ? { clientId: origin.clientId } : { source: origin.source };
}

function targetOf(origin: BlockedOrigin): string {
  return 'clientId' in origin ? origin.clientId : origin.source;
}

function describeSignOut(ended: Awaited<ReturnType<BrowserLists['end']>>): AdminSignOut {
  return {
    ended: ended.length,
    clientIds: [...new Set(ended.flatMap(({ clientIds }) => clientIds))],
    unreached: Promise.all(ended.map(({ unreached }) => unreached)).then((lists) => [...new Set(lists.flat())]),
  };
}

/** Returns the origin alone. @throws TypeError if it is no text, or too long */
function checkOrigin(origin: BlockedOrigin): BlockedOrigin {
  const target = targetOf(origin);
  if (typeof target === 'string' && target !== '' && target.length <= LONGEST_ORIGIN) return originOf(origin);
  throw new TypeError('block() and lift() need a "source" or a "clientId" of 1 to 200 characters');
}

function checkSeconds(seconds: number): number {
  if (seconds >= SHORTEST_BLOCK_S && seconds <= LONGEST_BLOCK_S) return seconds;
  throw new TypeError('a block lasts from 60 to 2592000 seconds (30 days)');
}
