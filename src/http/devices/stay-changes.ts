import type { Context } from 'koa';
import { lifetimeOf, type SessionLifetime, type SessionLifetimes } from '../../oidc/session/session-lifetimes.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { SignedInBrowser, SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';

/**
 * The time for which the note of a change is kept. A request that was under way at the change may save the session as
 * it was before, but no request takes longer than this.
 */
const NOTE_LIFETIME_MS = 60 * 60_000;

export interface StayChangePorts {
  readonly lifetimes: Pick<SessionLifetimes, 'change' | 'reapply'>;
  readonly browsers: Pick<SignedInBrowsers, 'used'>;
  readonly notes: Pick<Notes, 'read' | 'write'>;
  readonly clock: Clock;
}

/** Changes how long a browser stays signed in, on behalf of another device. */
export class StayChanges {
  readonly #ports: StayChangePorts;

  constructor(ports: StayChangePorts) {
    this.#ports = ports;
  }

  /** Changes how long a browser stays signed in. @returns false if it is not signed in any more */
  async change(accountId: string, browser: SignedInBrowser, duration: Duration): Promise<boolean> {
    const { lifetimes, browsers, notes, clock } = this.#ports;
    const { id, sessionUid, lastUsedAt } = browser;
    const lifetime = lifetimeOf(duration);
    // Write the note first, so that every request that saves the session from here on finds it.
    await notes.write(noteKeyOf(id), NOTE_LIFETIME_MS, JSON.stringify(lifetime));
    const lasts = await lifetimes.change({ accountId, sessionUid }, lifetime);
    if (lasts === undefined) return false;
    await browsers.used(accountId, id, { lastUsedAt, endsAt: clock() + lasts });
    return true;
  }

  /** Repeats a change if the request has just saved the session as it was before the change. */
  async reapply(ctx: Context, id: string): Promise<void> {
    const { lifetimes, notes } = this.#ports;
    const note = await notes.read(noteKeyOf(id));
    if (note !== undefined) await lifetimes.reapply(ctx, JSON.parse(note) as SessionLifetime);
  }
}

function noteKeyOf(id: string): string {
  return `stay:${id}`;
}
