import type { Context, Middleware } from 'koa';
import { callListener, warn } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import { type BrowserNote, ResumedSessions, type SavedSession } from '../../oidc/resumed.ts';
import { unavailable } from '../../stores/access.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import { browserId, type SignedInBrowser, type SignedInBrowsers } from '../../ticket/signed-in-browser.ts';
import type { Place } from '../../ticket/ticket.ts';
import type { FailureEvent } from '../events/ticket-events.ts';
import { describeUserAgent, sourceOf } from '../request/client-info.ts';
import type { DeviceDescriber } from '../request/device.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';

/** A browser that was just signed in by a phone. */
export interface NewSignIn {
  readonly accountId: string;
  /** What it claims to be, roughly where it is, and whether this account was signed in there by QR before. */
  readonly browser: {
    readonly name?: string;
    readonly system?: string;
    readonly place?: Place;
    readonly known: boolean;
  };
  /** The app that has asked for it. */
  readonly client: { readonly id: string; readonly name: string };
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** Told of each new sign-in by QR, to announce it by mail or push. Nobody waits for it. */
export type OnSignIn = (ctx: Context, signIn: NewSignIn) => void | Promise<void>;

export interface SignInPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly devices: DeviceDescriber;
  readonly clock: Clock;
  readonly onSignIn: OnSignIn;
}

/** Keeps the lists of signed-in browsers right, along with what oidc-provider does. */
export class SignInRecorder {
  readonly #ports: SignInPorts;
  readonly #resumed: ResumedSessions;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
    this.#resumed = new ResumedSessions(ports.provider);
  }

  /** Around oidc-provider's own URLs: what they have left is noted before anybody hears the answer, whichever it is. */
  note: Middleware = async (ctx, next) => {
    try {
      await next();
    } finally {
      const session = this.#resumed.sessionOf(ctx);
      if (session !== undefined) await this.#keep(ctx, session, this.#resumed.noteOf(ctx));
    }
  };

  async #keep(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<void> {
    let isEnded = false;
    try {
      isEnded = await this.#update(ctx, session, note);
    } catch (error) {
      // Whoever is signed in is signed in: the next request for authorization mends the list.
      this.#fail(ctx, session, error);
    }
    if (note !== undefined && !isEnded) this.#announce(ctx, session, note);
  }

  /** @returns whether the session was ended before, and is again now */
  async #update(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<boolean> {
    const { browsers, remoteSignOut } = this.#ports;
    const { accountId, byPhone, isUse } = session;
    const { id, sessionUid, ...use } = this.#used(session);
    if (note === undefined && isUse && (await browsers.used(accountId, id, use))) return false;
    const isListed = note !== undefined || (byPhone && isUse);
    const [wasEnded, wasApprovedByEnded] = await Promise.all([
      remoteSignOut.wasEnded(id),
      // What a browser has approved that was signed out since, and has kept for later.
      note !== undefined && remoteSignOut.wasEnded(note.approvedBy),
      // Beside the question, which is hardly ever answered with yes: whoever signs in waits for this.
      isListed && this.#put(ctx, session, note ?? (await this.#described(ctx, session))),
    ]);
    if (!wasEnded && !wasApprovedByEnded) return false;
    await remoteSignOut.end(ctx, accountId, { id, sessionUid, endsAt: use.endsAt });
    return true;
  }

  async #put(ctx: Context, session: SavedSession, note: Omit<BrowserNote, 'approvedBy'>): Promise<void> {
    const { browsers, remoteSignOut } = this.#ports;
    const { accountId } = session;
    const { name, system, place, at } = note;
    const described = {
      ...(name !== undefined && { name }),
      ...(system !== undefined && { system }),
      ...(place !== undefined && { place }),
    };
    const gone = await browsers.put(accountId, { ...described, ...this.#used(session), signedInAt: at });
    for (const one of gone) {
      // Nobody here has to wait for that.
      remoteSignOut.end(ctx, accountId, one).catch((error: unknown) => this.#fail(ctx, session, error));
    }
  }

  /** A browser that is missing on its list, by the request at hand. */
  async #described(ctx: Context, { begunAt }: SavedSession): Promise<Omit<BrowserNote, 'approvedBy'>> {
    const { userAgent, place } = await this.#ports.devices.describe(ctx);
    return { ...describeUserAgent(userAgent), ...(place !== undefined && { place }), known: true, at: begunAt };
  }

  #used({ uid, lasts }: SavedSession): Pick<SignedInBrowser, 'id' | 'sessionUid' | 'lastUsedAt' | 'endsAt'> {
    const now = this.#ports.clock();
    return { id: browserId(uid), sessionUid: uid, lastUsedAt: now, endsAt: now + lasts };
  }

  #announce(ctx: Context, { accountId, client }: SavedSession, { at, approvedBy: _, ...browser }: BrowserNote): void {
    if (client === undefined) return;
    const { onSignIn } = this.#ports;
    Promise.resolve()
      .then(() => onSignIn(ctx, { accountId, browser, client, at }))
      .catch(warn);
  }

  #fail(ctx: Context, { accountId }: SavedSession, cause: unknown): void {
    const error = cause instanceof QrLoginError ? cause : unavailable(cause);
    const failure: FailureEvent = { code: error.code, from: sourceOf(ctx), accountId };
    callListener(() => this.#ports.provider.emit('qr_login.failed', ctx, error, failure));
  }
}
