import type { BrowserNote, SavedSession } from '../../oidc/resume/resumed.ts';
import {
  findKnownBrowser,
  forgetBrowserOf,
  type KnownBrowser,
  type KnownBrowsers,
  TRUST_LIFETIME_MS,
} from '../../ticket/browsers/known-browser.ts';
import type { Clock } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import { descriptionOf } from './browser-description.ts';
import type { Enrolments } from './enrolments.ts';

export interface TrustRecorderPorts {
  readonly known: KnownBrowsers;
  readonly enrolments: Pick<Enrolments, 'noteSignIn'>;
  readonly clock: Clock;
}

/** Keeps the list of the browsers that an account trusts in step with its sign-ins by QR. */
export class TrustRecorder {
  readonly #ports: TrustRecorderPorts;

  constructor(ports: TrustRecorderPorts) {
    this.#ports = ports;
  }

  /** Trusts the browser if the user wants to stay signed in there. A browser that is trusted already stays so. */
  async record({ accountId, uid }: SavedSession, { knownAs, isTrusted, at, ...note }: BrowserNote): Promise<void> {
    const { known, enrolments, clock } = this.#ports;
    if (note.enrolledKey !== undefined) await enrolments.noteSignIn(accountId, note.enrolledKey, note.signIn);
    if (!isTrusted && !note.known) return;
    const before = await findKnownBrowser(known, accountId, knownAs);
    if (before === undefined && !isTrusted) return;
    // If the user wants to stay signed in, the record gets the browser's present key. The browser may have been trusted
    // by its cookie alone so far, or may have lost its key.
    const key = (isTrusted ? note.key : undefined) ?? before?.key;
    const now = clock();
    await known.put(accountId, {
      ...carriedBy(before),
      format: WRITTEN_FORMAT,
      id: knownAs,
      sessionUid: uid,
      ...descriptionOf(note),
      ...(key !== undefined && { key }),
      trustedAt: before?.trustedAt ?? at,
      signIn: note.signIn,
      lastUsedAt: now,
      endsAt: now + TRUST_LIFETIME_MS,
    });
  }

  /** Ends the trust in a browser whose user has signed out there. */
  async forget({ accountId, uid }: Pick<SavedSession, 'uid' | 'accountId'>): Promise<void> {
    await forgetBrowserOf(this.#ports.known, accountId, uid);
  }
}

/**
 * Returns the fields of a record that the next sign-in does not write itself: those of a newer build, and the name that
 * the user gave.
 */
function carriedBy(before: KnownBrowser | undefined): Partial<KnownBrowser> {
  const { name, system, place, key, ...kept }: Partial<KnownBrowser> = before ?? {};
  return kept;
}
