import type { Provider } from 'oidc-provider';
import type { Interaction as ProviderInteraction } from '../interaction.ts';

/** The time for which an interaction can be resumed again after it has been resumed successfully, in milliseconds. */
export const REPEATABLE_MS = 10_000;

/** The part of an interaction's record that says what earlier attempts to resume it have done. */
export interface Resumption {
  /** The id of the session that the browser had, and of the one that has taken its place. */
  readonly from?: string;
  readonly to?: string;
  /** The ids of the pushed request and of the device code that the attempt has used up. */
  readonly pushedRequest?: string;
  readonly deviceCode?: string;
  /** The time of the first success, in milliseconds since the epoch; absent until then. */
  readonly endedAt?: number;
}

/** A record of an interaction, with the field that `RepeatableResume` adds. */
export type ResumableInteraction = ProviderInteraction & {
  resumption?: Resumption | undefined;
  emit(event: string): void;
};

/** A session, with fields of oidc-provider that its types leave out, and the one that `RepeatableResume` adds. */
export type ResumableSession = InstanceType<Provider['Session']> & {
  oldId?: string | undefined;
  touched?: boolean;
  id: string;
  resetIdentifier(): void;
  /** The id of the session whose place this one has taken, until the browser is known to have this one. */
  replaces?: string | undefined;
};

type Write = () => Promise<unknown>;

/**
 * One request that resumes an interaction. It holds back the writes that would keep the browser from sending the same
 * request again, until the answer is known to be no failure.
 */
export class ResumeAttempt {
  readonly uid: string;
  /**
   * The id that the browser's session gets. It is the same for all attempts, so that concurrent attempts write one
   * session: of several sessions with the same `uid`, a sign-out from elsewhere finds only the last one.
   */
  readonly sessionId: string;
  /** The id of the session in the browser's cookie. */
  cookieSession: string | undefined;
  /** True if an earlier attempt has consumed the pushed request. */
  hasConsumed = false;
  #ending: { readonly interaction: ResumableInteraction; readonly save: (ttl: number) => Promise<unknown> } | undefined;
  #session: { readonly record: ResumableSession; readonly save: Write } | undefined;
  #pushedRequest: { readonly id: string; readonly consume: Write } | undefined;
  #deviceCode: { readonly id: string; readonly save: Write } | undefined;

  constructor(uid: string, sessionId: string) {
    this.uid = uid;
    this.sessionId = sessionId;
  }

  /** Ends the interaction in {@link commit}. @param save writes the interaction with a time to live in seconds */
  holdEnd(interaction: ResumableInteraction, save: (ttl: number) => Promise<unknown>): void {
    this.#ending = { interaction, save };
  }

  holdSession(record: ResumableSession, save: Write): void {
    this.#session = { record, save };
  }

  holdPushedRequest(id: string, consume: Write): void {
    this.#pushedRequest = { id, consume };
  }

  holdDeviceCode(id: string, save: Write): void {
    this.#deviceCode = { id, save };
  }

  /**
   * Performs the writes that were held back. The same request can be repeated after each of them, even if this process
   * ends there: a record is destroyed only after a note names its replacement, and the interaction ends last.
   */
  async commit(): Promise<void> {
    const session = this.#session;
    const replaced = session?.record.oldId;
    if (session !== undefined) {
      // oidc-provider would destroy the old session before it writes the new one.
      session.record.oldId = undefined;
      session.record.replaces = replaced;
    }
    await Promise.all([this.#note(replaced, session?.record.jti), session?.save()]);
    await Promise.all([
      replaced !== undefined && session?.record.adapter.destroy(replaced),
      this.#pushedRequest?.consume(),
      this.#deviceCode?.save(),
    ]);
    await this.#end();
  }

  /**
   * Notes the session, the pushed request and the device code that this attempt is about to use up, if there are any.
   */
  async #note(from: string | undefined, to: string | undefined): Promise<void> {
    if (this.#ending === undefined) return;
    const { interaction, save } = this.#ending;
    const [pushedRequest, deviceCode] = [this.#pushedRequest?.id, this.#deviceCode?.id];
    if ([from, pushedRequest, deviceCode].every((used) => used === undefined)) return;
    interaction.resumption = {
      ...interaction.resumption,
      // The browser has the session of its cookie until an answer reaches it, however many attempts there have been.
      ...(from !== undefined && this.cookieSession !== undefined && { from: this.cookieSession }),
      ...(from !== undefined && to !== undefined && { to }),
      ...(pushedRequest !== undefined && { pushedRequest }),
      ...(deviceCode !== undefined && { deviceCode }),
    };
    await save(secondsLeft(interaction));
  }

  async #end(): Promise<void> {
    if (this.#ending === undefined) return;
    const { interaction, save } = this.#ending;
    const now = Date.now();
    const { endedAt = now } = interaction.resumption ?? {};
    interaction.resumption = { ...interaction.resumption, endedAt };
    const left = Math.floor((endedAt + REPEATABLE_MS - now) / 1000);
    await save(Math.max(1, Math.min(left, secondsLeft(interaction))));
    interaction.emit('destroyed');
  }
}

function secondsLeft({ exp }: ResumableInteraction): number {
  return Math.max(1, exp - Math.floor(Date.now() / 1000));
}
