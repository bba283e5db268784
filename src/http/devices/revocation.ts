import type { Context } from 'koa';
import type { EndedSession } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { KnownBrowser, KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { FinishedSignIn, SignedInBrowser, SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import { noteReport, type ReportPorts } from '../../ticket/reports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { announceUnenrolled } from '../events/enrolment-events.ts';
import type { EmitTicketEvent } from '../events/ticket-events.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';

/** A sign-in that may be revoked. */
export interface RevocableSignIn {
  readonly accountId: string;
  readonly ticketId: string;
  /** The time at which the phone approved, in milliseconds since the epoch. */
  readonly approvedAt: number;
}

/** The longest wait of an interaction for its browser. By default, that is an hour (`ttl.Interaction`). */
const LONGEST_INTERACTION_MS = 24 * 60 * 60_000;

export interface RevocationPorts {
  readonly provider: Provider;
  readonly browsers: Pick<SignedInBrowsers, 'list'>;
  readonly known: Pick<KnownBrowsers, 'list' | 'remove'>;
  readonly remoteSignOut: Pick<RemoteSignOut, 'end'>;
  readonly notes: Notes;
  readonly blocks: ReportPorts['blocks'];
  readonly keys: SecretKeys;
  readonly clock: Clock;
  readonly emit: EmitTicketEvent;
}

/**
 * Takes back sign-ins that the browser has finished, whether their session has begun or not: a browser may resume its
 * request up to an hour after the phone has approved.
 */
export class SignInRevocation {
  readonly #ports: RevocationPorts;

  constructor(ports: RevocationPorts) {
    this.#ports = ports;
  }

  /**
   * Keeps a finished sign-in until its browser resumes, so that it can be found when its ticket is gone.
   * @param endsAt the end of its interaction, in milliseconds since the epoch
   */
  async keep(accountId: string, signIn: FinishedSignIn, endsAt: number): Promise<void> {
    const { notes, clock } = this.#ports;
    await notes.write(
      finishedKey(signIn.ticketId),
      Math.max(1, endsAt - clock()),
      JSON.stringify({ ...signIn, accountId }),
    );
  }

  /** Returns the sign-in of this account that came out of this ticket, or undefined if there is none (any more). */
  async find(accountId: string, ticketId: string): Promise<FinishedSignIn | undefined> {
    const { notes } = this.#ports;
    const [[browser], [trusted], kept] = await Promise.all([
      this.#browsersOf(accountId, ticketId),
      this.#trustedBy(accountId, ticketId),
      notes.read(finishedKey(ticketId)),
    ]);
    const listed = browser?.signIn ?? trusted?.signIn;
    if (listed !== undefined || kept === undefined) return listed;
    const { accountId: owner, ...signIn }: FinishedSignIn & { accountId: string } = JSON.parse(kept);
    return owner === accountId ? signIn : undefined;
  }

  /**
   * Revokes a sign-in that the user did not start (see {@link revoke}). For an hour, sign-ins of this account from the
   * same network address are refused.
   */
  async report(ctx: Context, accountId: string, signIn: FinishedSignIn): Promise<readonly EndedSession[]> {
    const { emit, clock } = this.#ports;
    const isNew = await noteReport(this.#ports, accountId, signIn);
    const ended = await this.revoke(ctx, accountId, signIn.ticketId);
    if (isNew || ended.length > 0) {
      const { ticketId: id, clientId, source: browserFrom, shownAt } = signIn;
      const unknown = { app: undefined, typed: undefined, because: undefined };
      const isSignIn = { action: undefined, backchannel: undefined };
      const facts = { id, clientId, browserFrom, shownAt, accountId, ...unknown, ...isSignIn };
      emit(ctx, 'qr_login.reported', { ...facts, state: 'redeemed', since: clock() });
    }
    return ended;
  }

  /**
   * Ends the sessions that came out of a ticket, and keeps the browser from beginning another one. There may be
   * several, because a browser can repeat the request that begins one. The account does not trust the browser any more,
   * even if its session has left the list.
   * @returns the sessions that existed
   */
  async revoke(ctx: Context, accountId: string, ticketId: string): Promise<readonly EndedSession[]> {
    const { provider, known, notes, remoteSignOut } = this.#ports;
    // Write the note first, so that a browser that resumes from here on finds it.
    await notes.write(revokedKey(ticketId), LONGEST_INTERACTION_MS, accountId);
    const [signedIn, trusted] = await Promise.all([
      this.#browsersOf(accountId, ticketId),
      this.#trustedBy(accountId, ticketId),
    ]);
    await Promise.all(trusted.map(({ id }) => known.remove(accountId, id)));
    announceUnenrolled(provider, ctx, accountId, trusted);
    const ended = await Promise.all(signedIn.map((browser) => remoteSignOut.end(ctx, accountId, browser)));
    return ended.filter((session) => session !== undefined);
  }

  /** Returns true if this account has taken back the sign-in that came out of a ticket. */
  async hasRevoked(accountId: string, ticketId: string): Promise<boolean> {
    return (await this.#ports.notes.read(revokedKey(ticketId))) === accountId;
  }

  /** Revokes all sign-ins of the account that were approved until now, and have no session yet. */
  async revokePending(accountId: string): Promise<void> {
    const { notes, clock } = this.#ports;
    const [name = ''] = this.#signedOutKeys(accountId);
    await notes.write(name, LONGEST_INTERACTION_MS, `${clock()}`);
  }

  async isRevoked({ accountId, ticketId, approvedAt }: RevocableSignIn): Promise<boolean> {
    const { notes } = this.#ports;
    const [revoked, ...signedOutAt] = await Promise.all([
      notes.read(revokedKey(ticketId)),
      ...this.#signedOutKeys(accountId).map((name) => notes.read(name)),
    ]);
    return revoked !== undefined || signedOutAt.some((time) => time !== undefined && approvedAt <= Number(time));
  }

  async #browsersOf(accountId: string, ticketId: string): Promise<readonly SignedInBrowser[]> {
    const list = await this.#ports.browsers.list(accountId);
    return list.filter(({ signIn }) => signIn?.ticketId === ticketId);
  }

  async #trustedBy(accountId: string, ticketId: string): Promise<readonly KnownBrowser[]> {
    const list = await this.#ports.known.list(accountId);
    return list.filter(({ signIn }) => signIn?.ticketId === ticketId);
  }

  #signedOutKeys(accountId: string): string[] {
    return this.#ports.keys.candidates('signed out', accountId).map((mac) => `all:${mac.toString('base64url')}`);
  }
}

function revokedKey(ticketId: string): string {
  return `revoked:${ticketId}`;
}

function finishedKey(ticketId: string): string {
  return `finished:${ticketId}`;
}
