import type { Context, Middleware } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { RepeatableResume } from '../../oidc/resume/repeatable-resume.ts';
import { type BrowserNote, ResumedSessions, type SavedSession } from '../../oidc/resume/resumed.ts';
import { noteHosts } from '../../oidc/session-clients.ts';
import { unavailable } from '../../stores/access.ts';
import { browserId } from '../../ticket/browsers/signed-in-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { FailureEvent } from '../events/ticket-events.ts';
import { callInBackground } from '../hooks/call-hook.ts';
import type { OnSignIn } from '../hooks/hooks.ts';
import { sourceOf } from '../request/client-info.ts';
import { descriptionOf } from './browser-description.ts';
import type { BrowserNames } from './browser-names.ts';
import { SessionRecorder, type SessionRecorderPorts } from './session-recorder.ts';
import type { StayChanges } from './stay-changes.ts';
import { TrustRecorder, type TrustRecorderPorts } from './trust-recorder.ts';

export interface SignInPorts extends Omit<SessionRecorderPorts, 'onTrouble'>, TrustRecorderPorts {
  readonly provider: Provider;
  readonly resuming: Pick<RepeatableResume, 'isUndone'>;
  readonly browserNames: Pick<BrowserNames, 'apply'>;
  readonly onSignIn: OnSignIn;
  readonly stayChanges: Pick<StayChanges, 'reapply'>;
  /** True if users choose how long they stay signed in. */
  readonly offersDurations: boolean;
}

/** Records what each request to oidc-provider changes: sessions, the trust in browsers, and their names. */
export class SignInRecorder {
  readonly #ports: SignInPorts;
  readonly #resumed: ResumedSessions;
  readonly #sessions: SessionRecorder;
  readonly #trust: TrustRecorder;

  constructor(ports: SignInPorts) {
    this.#ports = ports;
    this.#resumed = new ResumedSessions(ports.provider);
    this.#sessions = new SessionRecorder({ ...ports, onTrouble: (...trouble) => this.#fail(...trouble) });
    this.#trust = new TrustRecorder(ports);
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
    // The user is signed out even if the trust could not be ended; it can be ended at `/qr/devices`.
    if (ended !== undefined) await this.#trust.forget(ended).catch((error: unknown) => this.#fail(ctx, ended, error));
    await this.#reapply(ctx);
    const session = this.#resumed.sessionOf(ctx);
    if (session !== undefined) await this.#keep(ctx, session, this.#resumed.noteOf(ctx));
  }

  /** Repeats a change of how long the browser stays signed in, because this request may have undone it. */
  async #reapply(ctx: Context): Promise<void> {
    const { offersDurations, stayChanges } = this.#ports;
    const session = offersDurations ? this.#resumed.sessionOf(ctx) : undefined;
    if (session === undefined) return;
    await stayChanges.reapply(ctx, browserId(session.uid)).catch((error: unknown) => this.#fail(ctx, session, error));
  }

  async #keep(ctx: Context, session: SavedSession, note: BrowserNote | undefined): Promise<void> {
    let isEnded = false;
    try {
      isEnded = await this.#sessions.record(ctx, session, note);
      if (note !== undefined && !isEnded) {
        await this.#trust.record(session, note);
        this.#applyName(ctx, session, note);
      }
    } catch (error) {
      // The user is signed in even if the list is not written. The next authorization request repairs it.
      this.#fail(ctx, session, error);
    }
    if (note !== undefined && !isEnded) this.#announce(ctx, session, note);
  }

  /** Gives the browser its name. This is not awaited, because the user who signs in need not wait for it. */
  #applyName(ctx: Context, session: SavedSession, { knownAs, signIn: { ticketId } }: BrowserNote): void {
    const { accountId, uid } = session;
    this.#ports.browserNames
      .apply(accountId, { ticketId, id: browserId(uid), knownAs })
      .catch((error: unknown) => this.#fail(ctx, session, error));
  }

  #announce(ctx: Context, { accountId, client }: SavedSession, { at, known, ...note }: BrowserNote): void {
    if (client === undefined) return;
    const browser = { ...descriptionOf(note), known };
    const { onSignIn } = this.#ports;
    callInBackground('onSignIn', () => onSignIn(ctx, { accountId, browser, client, at }));
  }

  #fail(ctx: Context, { accountId }: Pick<SavedSession, 'accountId'>, cause: unknown): void {
    const error = cause instanceof QrLoginError ? cause : unavailable(cause);
    const failure: FailureEvent = { code: error.code, from: sourceOf(ctx), accountId };
    callListener(() => this.#ports.provider.emit('qr_login.failed', ctx, error, failure));
  }
}
