import type { Notes } from '../ports.ts';

const MINUTE_MS = 60_000;

/**
 * The wait before the next request, by the number of requests in a row that the user has not approved, in milliseconds.
 * A user who did not hear the phone may be asked once more at once; a client that asks on and on must not wear its user
 * out.
 */
const WAITS_MS: readonly number[] = [0, 0, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS];

/** The time from the end of a wait until its series is forgotten, in milliseconds. */
const FORGOTTEN_AFTER_MS: number = 60 * MINUTE_MS;

/** A sender that asks an account. */
export interface Asker {
  readonly accountId: string;
  readonly sender: string;
}

/** A sender's requests in a row, none of which the account has approved. */
interface Series {
  readonly unapproved: number;
  /** The time before which the sender may not ask again, in milliseconds since the epoch. */
  readonly notBefore: number;
}

/** Slows down a sender whose requests an account leaves unanswered or denies. */
export class Pace {
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** Returns true if the sender may not ask now. */
  async isTooSoon(asker: Asker, now: number): Promise<boolean> {
    return now < (await this.#read(asker)).notBefore;
  }

  /** Notes a request. It counts as not approved until the user approves it. @param endsAt the end of the request */
  async noteAsked(asker: Asker, endsAt: number, now: number): Promise<void> {
    const unapproved = (await this.#read(asker)).unapproved + 1;
    await this.#write(asker, { unapproved, notBefore: endsAt + waitAfter(unapproved) }, now);
  }

  /** Notes that the user has answered: an approval ends the series, and after a denial the wait begins now. */
  async noteAnswered(asker: Asker, isApproved: boolean, now: number): Promise<void> {
    const { unapproved } = await this.#read(asker);
    await this.#write(
      asker,
      isApproved ? { unapproved: 0, notBefore: now } : { unapproved, notBefore: now + waitAfter(unapproved) },
      now,
    );
  }

  async #read(asker: Asker): Promise<Series> {
    const note = await this.#notes.read(nameOf(asker));
    return note === undefined ? { unapproved: 0, notBefore: 0 } : JSON.parse(note);
  }

  async #write(asker: Asker, series: Series, now: number): Promise<void> {
    const lasts = series.notBefore - now + FORGOTTEN_AFTER_MS;
    await this.#notes.write(nameOf(asker), lasts, JSON.stringify(series));
  }
}

function waitAfter(unapproved: number): number {
  return WAITS_MS[Math.min(unapproved, WAITS_MS.length - 1)] ?? 0;
}

/** JSON keeps ['a', 'bc'] and ['ab', 'c'] apart. */
function nameOf({ accountId, sender }: Asker): string {
  return `pace:${JSON.stringify([accountId, sender])}`;
}
