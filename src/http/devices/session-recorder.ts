import type { Context } from 'koa';
import type { Provider } from '../../oidc/provider.ts';
import type { BrowserNote, SavedSession } from '../../oidc/resume/resumed.ts';
import { findSignInMethod } from '../../oidc/session/session-facts.ts';
import { browserId, type SignedInBrowser, type SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import type { Clock } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import { describeUserAgent } from '../request/client-info.ts';
import type { DeviceDescriber } from '../request/device.ts';
import { type BrowserDescription, descriptionOf } from './browser-description.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';
import type { SignInRevocation } from './revocation.ts';

export interface SessionRecorderPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly revocation: Pick<SignInRevocation, 'isRevoked'>;
  readonly devices: DeviceDescriber;
  readonly clock: Clock;
  /** Called if a browser that had to make room on the list could not be signed out. */
  readonly onTrouble: (ctx: Context, session: SavedSession, error: unknown) => void;
}

/** The data of a browser that its list shows. */
type ListedData = BrowserDescription & Pick<BrowserNote, 'at'> & Partial<Pick<BrowserNote, 'signIn'>>;

/** Keeps the list of an account's signed-in browsers in step with the sessions of oidc-provider. */
export class SessionRecorder {
  readonly #ports: SessionRecorderPorts;

  constructor(ports: SessionRecorderPorts) {
    this.#ports = ports;
  }

  /**
   * Puts the browser of a session on the list of its account, or notes its use.
   * @param note the sign-in that has just begun the session, if it was one by QR
   * @returns true if the session or its sign-in had been ended from elsewhere, and this call has ended the session
   */
  async record(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<boolean> {
    const { browsers, remoteSignOut, revocation } = this.#ports;
    const { accountId, isUse } = session;
    const { id, sessionUid, ...use } = this.#describeUse(session);
    if (note === undefined && isUse && (await browsers.used(accountId, id, use))) return false;
    const isListed = note !== undefined || isUse;
    const [wasEnded, wasApprovedByEnded] = await Promise.all([
      remoteSignOut.wasEnded(id),
      // By the time the browser resumes, the phone that approved may have been signed out.
      note?.approvedBy !== undefined && remoteSignOut.wasEnded(note.approvedBy),
      // Write the list in parallel: the user waits, and the session has hardly ever been ended.
      isListed && this.#put(ctx, session, note ?? (await this.#describeBrowser(ctx, session))),
    ]);
    // Read the note after listing the browser: a report writes its note first, then looks at the list.
    const isRevoked =
      note !== undefined && (await revocation.isRevoked({ accountId, ...note.signIn, approvedAt: note.approvedAt }));
    if (!wasEnded && !wasApprovedByEnded && !isRevoked) return false;
    await remoteSignOut.end(ctx, accountId, { id, sessionUid, endsAt: use.endsAt });
    return true;
  }

  async #put(ctx: Context, session: SavedSession, note: ListedData): Promise<void> {
    const { browsers, onTrouble } = this.#ports;
    const { accountId } = session;
    const { at, signIn } = note;
    const label = await this.#labelOf(session, at);
    const entry = {
      ...descriptionOf(note),
      ...(signIn !== undefined && { signIn }),
      ...(label !== undefined && { label }),
      ...this.#describeUse(session),
      format: WRITTEN_FORMAT,
      signedInAt: at,
    };
    const gone = await browsers.put(accountId, entry);
    for (const one of gone) {
      // This is not awaited: the user who signs in need not wait for the sign-out of other browsers.
      this.#makeRoom(ctx, accountId, one).catch((error: unknown) => onTrouble(ctx, session, error));
    }
  }

  /**
   * Ends a sign-in by QR that has left the list, because its user could not end it any more. A browser where the user
   * has signed in directly stays signed in, because it may be the phone itself. It is listed again when it is used.
   */
  async #makeRoom(ctx: Context, accountId: string, browser: SignedInBrowser): Promise<void> {
    const { provider, remoteSignOut } = this.#ports;
    const { sessionUid } = browser;
    const signedInBy = await findSignInMethod(provider, { accountId, sessionUid });
    if (signedInBy === undefined || signedInBy === 'qr') await remoteSignOut.end(ctx, accountId, browser);
  }

  /**
   * Returns the name of the browser if its session had begun before this sign-in and continues after it.
   * @param at the time of the sign-in
   */
  async #labelOf({ accountId, uid, begunAt }: SavedSession, at: number): Promise<string | undefined> {
    // The times of sessions are whole seconds.
    if (begunAt + 1000 > at) return undefined;
    const list = await this.#ports.browsers.list(accountId);
    return list.find(({ id }) => id === browserId(uid))?.label;
  }

  /** Describes a browser that is missing on its list, with the data of its present request. */
  async #describeBrowser(ctx: Context, { begunAt }: SavedSession): Promise<ListedData> {
    const { userAgent, place } = await this.#ports.devices.describe(ctx);
    return { ...describeUserAgent(userAgent), ...(place !== undefined && { place }), at: begunAt };
  }

  #describeUse({ uid, lasts }: SavedSession): Pick<SignedInBrowser, 'id' | 'sessionUid' | 'lastUsedAt' | 'endsAt'> {
    const now = this.#ports.clock();
    return { id: browserId(uid), sessionUid: uid, lastUsedAt: now, endsAt: now + lasts };
  }
}
