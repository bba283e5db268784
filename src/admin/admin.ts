import type { Context } from 'koa';
import type { Activity } from '../http/events/activity.ts';
import type { DecisionRecord } from '../http/hooks/app-hooks.ts';
import type { BlockedOrigin } from '../ticket/blocks.ts';
import type { AccountRecords } from './account-records.ts';
import type { ExportSources } from './export-lines.ts';

/** The request and the name of the operator who acts, for the event `qr_login.admin`. */
export interface AdminAct {
  /** The request of the operator. Your code has authenticated it; the plugin takes the network address from it. */
  readonly ctx: Context;
  /** The name of the operator in the event, such as an account id. */
  readonly operator: string;
}

/** A refusal of what comes from an origin to one account. */
export interface AdminBlock {
  /** The account that refuses. */
  readonly accountId: string;
  /** The network address from which sign-ins are refused. */
  readonly source?: string;
  /** The client whose actions and requests without a browser are refused. */
  readonly clientId?: string;
  /** `user` after "I did not start this", `operator` if an operator has added it. */
  readonly by: 'user' | 'operator';
  /** The time of the report, or of the operator's act, in milliseconds since the epoch. */
  readonly at: number;
  /** The time at which the block ends, in milliseconds since the epoch. */
  readonly endsAt: number;
}

/** The result of a sign-out. */
export interface AdminSignOut {
  /** The number of sessions that have ended. */
  readonly ended: number;
  /** The clients that knew of the sessions. */
  readonly clientIds: readonly string[];
  /** The clients that requested a logout token and did not answer. Resolves within three seconds. */
  readonly unreached: Promise<readonly string[]>;
}

/**
 * Lists and ends what the plugin has stored, for operators. It checks no permission: call it only after you have
 * authenticated an operator. Each function throws a TypeError before `attach`, and a QrLoginError `store_unavailable` if
 * the store does not answer. None of them lists all keys of the store. See docs/console.md.
 */
export interface QrAdmin {
  /**
   * Returns the number of live tickets by state, and the latest tickets: 50 of each process that an account has scanned,
   * and 50 others. Other processes are included if the store is shared, two seconds late; a step that another process
   * has taken is counted after 30 seconds at the latest (half of the shortest deadline). Cost: one read.
   */
  activity(): Promise<Activity>;

  /**
   * Returns the blocks of an account, or the latest ones of all accounts, the latest one first; 100 at most. Cost: one
   * read.
   */
  blocks(accountId?: string): Promise<readonly AdminBlock[]>;

  /**
   * Refuses to an account the sign-ins from a network address (`source`, as `browserFrom` of the events has it), or the
   * requests of a client. An earlier block of the same origin is replaced. Cost: three writes.
   * @param seconds the time until it ends, from 60 to 2,592,000 (30 days). Default: 3,600
   * @throws TypeError if a value is wrong
   */
  block(act: AdminAct, accountId: string, origin: BlockedOrigin, seconds?: number): Promise<AdminBlock>;

  /**
   * Lifts a block, also one that a user's report has caused. Cost: one read, three writes.
   * @returns false if the origin was not blocked
   */
  lift(act: AdminAct, accountId: string, origin: BlockedOrigin): Promise<boolean>;

  /**
   * Returns what is stored of an account: at most 100 browsers that are signed in, 100 that it trusts, and 100 apps.
   * Cost: four reads, and a read for each session and grant.
   */
  account(accountId: string): Promise<AccountRecords>;

  /**
   * Signs a browser out, as its user can on `/qr/devices`: ends its session, its trust and its passkeys, revokes what
   * was granted in it, and notifies the clients. `all` ends all of the account's browsers, trust, enrolments and
   * browser passkeys, and the sign-ins that were approved and not finished yet. Cost: about ten accesses a browser.
   * @param browserId an id of `account().browsers`, or `all`
   */
  signOut(act: AdminAct, accountId: string, browserId: string): Promise<AdminSignOut>;

  /**
   * Ends the trust in a browser, or its enrolment. Cost: one read, and two writes for each.
   * @param browserId an id of `account().trusted`, or `all`
   */
  forgetBrowser(act: AdminAct, accountId: string, browserId: string): Promise<void>;

  /**
   * Ends the access of an app: revokes its grant and all of its tokens. Cost: two reads, and about eight writes.
   * @param appId an id of `account().apps`
   * @returns false if there is no such access
   */
  endApp(act: AdminAct, accountId: string, appId: string): Promise<boolean>;

  /**
   * Removes a passkey that a browser has added with the phone's approval. Cost: one call of `browserPasskeys.list` and
   * one of `browserPasskeys.remove`.
   * @param passkeyId an id of `account().passkeys`, or `all`
   */
  removePasskey(act: AdminAct, accountId: string, passkeyId: string): Promise<void>;

  /**
   * Returns true if the app has signed the decision that a record of `onDecision` contains. It needs no store. For a file
   * of `oidc-provider-qr-login/audit`, `readAuditPage` verifies the chain as well.
   */
  verifyDecision(record: DecisionRecord): Promise<boolean>;

  /**
   * Exports as JSON lines: the activity, the latest blocks, and the records of the accounts and decisions that you
   * name, one after another. Each text is one line with its line break, and has a `type`. Cost: that of `activity`,
   * `blocks`, and `account` for each account; the memory is that of one account.
   */
  exportLines(sources?: ExportSources): AsyncIterable<string>;
}
