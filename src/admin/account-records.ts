import { calculateJwkThumbprint } from 'jose';
import type { AppGrantEntry, AppGrants } from '../http/api/app-grants.ts';
import { type BrowserLists, listedFieldsOf } from '../http/devices/browser-lists.ts';
import type { BrowserPasskeyList } from '../http/devices/browser-passkey-list.ts';
import type { BrowserEntry, BrowserPasskeyEntry, KnownBrowserEntry } from '../http/pages/page-data.ts';
import type { EnrolledBy } from '../ticket/browsers/enrolment.ts';
import type { KnownBrowser, KnownBrowsers } from '../ticket/browsers/known-browser.ts';
import type { Clock } from '../ticket/ports.ts';
import type { SessionApprover } from '../ticket/ticket.ts';

/** A browser that an account trusts. */
export interface TrustedBrowserEntry extends Omit<KnownBrowserEntry, 'trustedAgo' | 'enrolled' | 'isHere'> {
  /** Present if it is enrolled: the proof by which it was enrolled. */
  readonly enrolledBy?: EnrolledBy;
  /** The thumbprint of its key (RFC 7638); absent if its cookie alone is known. */
  readonly keyId?: string;
}

/** The records of an account, as operators see them. */
export interface AccountRecords {
  readonly accountId: string;
  /** The browsers that are signed in, the most recently used first. */
  readonly browsers: readonly Omit<BrowserEntry, 'isHere'>[];
  /** The browsers that it trusts, the enrolled ones included, the most recently used first. */
  readonly trusted: readonly TrustedBrowserEntry[];
  /** The apps that can approve, since they were used with this release. */
  readonly apps: readonly AppGrantEntry[];
  /** The passkeys that browsers have added, if the deployment lists them (`browserPasskeys`). */
  readonly passkeys: readonly BrowserPasskeyEntry[];
}

export interface AccountRecordPorts {
  readonly browserLists: Pick<BrowserLists, 'listSignedIn'>;
  readonly known: Pick<KnownBrowsers, 'list'>;
  readonly appGrants: Pick<AppGrants, 'list'>;
  readonly browserPasskeyList: Pick<BrowserPasskeyList, 'list'>;
  readonly clock: Clock;
}

/**
 * Returns an approver that stands for the whole account: it has no session of its own, so it sees and ends all browsers.
 */
export function wholeAccount(accountId: string): SessionApprover {
  return { accountId, authenticatedAt: 0, sessionUid: '' };
}

export async function readAccount(ports: AccountRecordPorts, accountId: string): Promise<AccountRecords> {
  const { browserLists, known, appGrants, browserPasskeyList, clock } = ports;
  const [browsers, trusted, apps, passkeys] = await Promise.all([
    browserLists.listSignedIn(wholeAccount(accountId)),
    known.list(accountId),
    appGrants.list(accountId),
    browserPasskeyList.list(accountId),
  ]);
  const latestFirst = [...trusted].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
  return {
    accountId,
    browsers: browsers.map(({ isHere: _, ...browser }) => browser),
    trusted: await Promise.all(latestFirst.map((browser) => describeTrusted(browser, clock()))),
    apps,
    passkeys,
  };
}

async function describeTrusted(browser: KnownBrowser, now: number): Promise<TrustedBrowserEntry> {
  const { trustedAt, enrolledBy, key } = browser;
  return {
    ...listedFieldsOf(browser, now),
    trustedAt: new Date(trustedAt).toISOString(),
    ...(enrolledBy !== undefined && { enrolledBy }),
    ...(key && { keyId: await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x: key.x, y: key.y }) }),
  };
}
