import type { Context, Middleware } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { RepeatableResume } from '../../oidc/resume/repeatable-resume.ts';
import { type BrowserNote, ResumedSessions, type SavedSession } from '../../oidc/resume/resumed.ts';
import { findSignInMethod } from '../../oidc/session/session-facts.ts';
import { noteHosts } from '../../oidc/session-clients.ts';
import { unavailable } from '../../stores/access.ts';
import {
  findKnownBrowser,
  forgetBrowserOf,
  type KnownBrowser,
  type KnownBrowsers,
  TRUST_LIFETIME_MS,
} from '../../ticket/browsers/known-browser.ts';
import { browserId, type SignedInBrowser, type SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import type { Place } from '../../ticket/ticket.ts';
import type { FailureEvent } from '../events/ticket-events.ts';
import { callInBackground } from '../hooks/call-hook.ts';
import { describeUserAgent, sourceOf } from '../request/client-info.ts';
import type { DeviceDescriber } from '../request/device.ts';
import type { BrowserNames } from './browser-names.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';
import type { SignInRevocation } from './revocation.ts';
import type { StayChanges } from './stay-changes.ts';

/** A browser that was just signed in by a phone. */
export interface NewSignIn {
  readonly accountId: string;
  /** Its claimed name and system, and its rough location. `known`: this account trusted it before. */
  readonly browser: {
    readonly name?: string;
    readonly system?: string;
    readonly place?: Place;
    readonly known: boolean;
  };
  /**
   * The app that requested the sign-in. `host`: the verified host that the answer goes to; for a native app the scheme
   * of its redirect URI; absent if there is none.
   */
  readonly client: { readonly id: string; readonly name: string; readonly host?: string };
  /** The time in milliseconds since the epoch. */
  readonly at: number;
}

/** Announces a new sign-in by QR, by mail or push. The request does not wait for it. */
export type OnSignIn = (ctx: Context, signIn: NewSignIn) => void | Promise<void>;

export interface SignInPorts {
  readonly provider: Provider;
  readonly resuming: Pick<RepeatableResume, 'isUndone'>;
  readonly browsers: SignedInBrowsers;
  readonly known: KnownBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly browserNames: Pick<BrowserNames, 'apply'>;
  readonly stayChanges: Pick<StayChanges, 'reapply'>;
  readonly devices: DeviceDescriber;
  readonly clock: Clock;
  readonly onSignIn: OnSignIn;
  /** True if users choose how long they stay signed in. */
  readonly offersDurations: boolean;
}

/** The data of a browser that its list shows. */
type DescribedBrowser = Pick<BrowserNote, 'name' | 'system' | 'place' | 'at'> & Partial<Pick<BrowserNote, 'signIn'>>;

/** Keeps the lists of signed-in browsers in step with the sessions of oidc-provider. */
export class SignInRecorder {
  readonly #ports: SignInPorts;
  readonly #resumed: ResumedSessions;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
    this.#resumed = new ResumedSessions(ports.provider);
    noteHosts(ports.provider);
  }

  /**
   * Records the session that oidc-provider saved, before the answer is sent and even if it is an error. Mounted around
   * oidc-provider's own URLs.
   */
  note: Middleware = async (ctx, next) => {
    try {
      await next();
    } finally {
      // After a resume that has failed, the browser has the session that it had before.
      if (!this.#ports.resuming.isUndone(ctx)) await this.#record(ctx);
    }
  };

  async #record(ctx: Context): Promise<void> {
    const ended = this.#resumed.endedSessionOf(ctx);
    if (ended !== undefined) await this.#forget(ctx, ended);
    await this.#reapply(ctx);
    const session = this.#resumed.sessionOf(ctx);
    if (session !== undefined) await this.#keep(ctx, session, this.#resumed.noteOf(ctx));
  }

  /** Honours a change of how long the browser stays signed in, which this request may have undone. */
  async #reapply(ctx: Context): Promise<void> {
    const { offersDurations, stayChanges } = this.#ports;
    const session = offersDurations ? this.#resumed.sessionOf(ctx) : undefined;
    if (session === undefined) return;
    try {
      await stayChanges.reapply(ctx, browserId(session.uid));
    } catch (error) {
      this.#fail(ctx, session, error);
    }
  }

  async #keep(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<void> {
    let isEnded = false;
    try {
      isEnded = await this.#update(ctx, session, note);
      if (note !== undefined && !isEnded) {
        await this.#trust(session, note);
        this.#applyName(ctx, session, note);
      }
    } catch (error) {
      // The user is signed in even if the list is not written. The next authorization request repairs it.
      this.#fail(ctx, session, error);
    }
    if (note !== undefined && !isEnded) this.#announce(ctx, session, note);
  }

  /** @returns true if the session had been ended from elsewhere, and this has ended it again */
  async #update(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<boolean> {
    const { browsers, remoteSignOut, revocation } = this.#ports;
    const { accountId, isUse } = session;
    const { id, sessionUid, ...use } = this.#used(session);
    if (note === undefined && isUse && (await browsers.used(accountId, id, use))) return false;
    const isListed = note !== undefined || isUse;
    const [wasEnded, wasApprovedByEnded] = await Promise.all([
      remoteSignOut.wasEnded(id),
      // By the time the browser resumes, the phone that approved may have been signed out.
      note?.approvedBy !== undefined && remoteSignOut.wasEnded(note.approvedBy),
      // In parallel, because the user waits, and the session has hardly ever been ended.
      isListed && this.#put(ctx, session, note ?? (await this.#described(ctx, session))),
    ]);
    // Read the note after listing the browser: a report writes its note first, then looks at the list.
    const isRevoked =
      note !== undefined && (await revocation.isRevoked({ accountId, ...note.signIn, approvedAt: note.approvedAt }));
    if (!wasEnded && !wasApprovedByEnded && !isRevoked) return false;
    await remoteSignOut.end(ctx, accountId, { id, sessionUid, endsAt: use.endsAt });
    return true;
  }

  /** Trusts the browser if the user wants to stay signed in there. A browser that is trusted already stays so. */
  async #trust({ accountId, uid }: SavedSession, { knownAs, isTrusted, at, ...note }: BrowserNote): Promise<void> {
    const { known, clock } = this.#ports;
    if (!isTrusted && !note.known) return;
    const before = await findKnownBrowser(known, accountId, knownAs);
    if (before === undefined && !isTrusted) return;
    // A user who has stayed trusted by the cookie alone may get a key, or a new one for a key that was lost.
    const key = (isTrusted ? note.key : undefined) ?? before?.key;
    const now = clock();
    await known.put(accountId, {
      ...carriedBy(before),
      format: WRITTEN_FORMAT,
      id: knownAs,
      sessionUid: uid,
      ...describedIn(note),
      ...(key !== undefined && { key }),
      trustedAt: before?.trustedAt ?? at,
      signIn: note.signIn,
      lastUsedAt: now,
      endsAt: now + TRUST_LIFETIME_MS,
    });
  }

  /** Not awaited: the user who signs in need not wait for the name of the browser. */
  #applyName(ctx: Context, session: SavedSession, { knownAs, signIn: { ticketId } }: BrowserNote): void {
    const { accountId, uid } = session;
    this.#ports.browserNames
      .apply(accountId, { ticketId, id: browserId(uid), knownAs })
      .catch((error: unknown) => this.#fail(ctx, session, error));
  }

  /** Ends the trust in a browser whose user has signed out there. */
  async #forget(ctx: Context, { accountId, uid }: Pick<SavedSession, 'uid' | 'accountId'>): Promise<void> {
    try {
      await forgetBrowserOf(this.#ports.known, accountId, uid);
    } catch (error) {
      // The user is signed out even if the trust could not be ended; it can be ended at `/qr/devices`.
      this.#fail(ctx, { accountId }, error);
    }
  }

  async #put(ctx: Context, session: SavedSession, note: DescribedBrowser): Promise<void> {
    const { browsers } = this.#ports;
    const { accountId } = session;
    const { at, signIn } = note;
    const label = await this.#labelOf(session, at);
    const entry = {
      ...describedIn(note),
      ...(signIn !== undefined && { signIn }),
      ...(label !== undefined && { label }),
      ...this.#used(session),
      format: WRITTEN_FORMAT,
      signedInAt: at,
    };
    const gone = await browsers.put(accountId, entry);
    for (const one of gone) {
      // Not awaited: the user who signs in need not wait for the sign-out of the browsers that had to make room.
      this.#makeRoom(ctx, accountId, one).catch((error: unknown) => this.#fail(ctx, session, error));
    }
  }

  /**
   * Ends a sign-in by QR that has left the list, because its user could not end it any more. A browser where the user has
   * signed in directly stays signed in, and is listed again when it is used: the phone itself may be one.
   */
  async #makeRoom(ctx: Context, accountId: string, browser: SignedInBrowser): Promise<void> {
    const { provider, remoteSignOut } = this.#ports;
    const { sessionUid } = browser;
    const signedInBy = await findSignInMethod(provider, { accountId, sessionUid });
    if (signedInBy === undefined || signedInBy === 'qr') await remoteSignOut.end(ctx, accountId, browser);
  }

  /**
   * Returns the name of the browser of a session that had begun before this sign-in, and goes on after it.
   * @param at the time of the sign-in
   */
  async #labelOf({ accountId, uid, begunAt }: SavedSession, at: number): Promise<string | undefined> {
    // Sessions know whole seconds.
    if (begunAt + 1000 > at) return undefined;
    const list = await this.#ports.browsers.list(accountId);
    return list.find(({ id }) => id === browserId(uid))?.label;
  }

  /** Describes a browser that is missing on its list, by its present request. */
  async #described(ctx: Context, { begunAt }: SavedSession): Promise<DescribedBrowser> {
    const { userAgent, place } = await this.#ports.devices.describe(ctx);
    return { ...describeUserAgent(userAgent), ...(place !== undefined && { place }), at: begunAt };
  }

  #used({ uid, lasts }: SavedSession): Pick<SignedInBrowser, 'id' | 'sessionUid' | 'lastUsedAt' | 'endsAt'> {
    const now = this.#ports.clock();
    return { id: browserId(uid), sessionUid: uid, lastUsedAt: now, endsAt: now + lasts };
  }

  #announce(ctx: Context, { accountId, client }: SavedSession, { at, known, ...note }: BrowserNote): void {
    if (client === undefined) return;
    const browser = { ...describedIn(note), known };
    const { onSignIn } = this.#ports;
    callInBackground('onSignIn', () => onSignIn(ctx, { accountId, browser, client, at }));
  }

  #fail(ctx: Context, { accountId }: Pick<SavedSession, 'accountId'>, cause: unknown): void {
    const error = cause instanceof QrLoginError ? cause : unavailable(cause);
    const failure: FailureEvent = { code: error.code, from: sourceOf(ctx), accountId };
    callListener(() => this.#ports.provider.emit('qr_login.failed', ctx, error, failure));
  }
}

/** Returns the fields of a record that the next sign-in does not write anew: those that only a newer build knows. */
function carriedBy(before: KnownBrowser | undefined): Partial<KnownBrowser> {
  const { name, system, place, key, ...kept }: Partial<KnownBrowser> = before ?? {};
  return kept;
}

function describedIn({ name, system, place }: Description): Description {
  return {
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
  };
}

type Description = Pick<BrowserNote, 'name' | 'system' | 'place'>;
