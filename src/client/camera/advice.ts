/** The advice for a user whose camera finds no code. */

import type { Reading } from './read-code.ts';

/** If the picture has no code at all, the user is told to move closer after this time. */
const NOTHING_FOR_MS = 6_000;
/** The user is told to move closer after this many frames with something like a code that could not be read. */
const UNCLEAR_FRAMES = 8;
/**
 * The message about a foreign code stays this long after the last frame in which such a code was read, because some
 * frames cannot be read.
 */
const FOREIGN_STAYS_MS = 3_000;

/** The name of a message. The page has a text of the same name. */
export type Advice = 'looking' | 'closer' | 'foreign';

/** Chooses the message by the contents of the latest frames. All times are in milliseconds, by the same clock. */
export class Adviser {
  #lookingSince: number;
  #unclearFrames = 0;
  #foreignAt: number | undefined;

  /** @param now the time at which the camera started */
  constructor(now: number) {
    this.#lookingSince = now;
  }

  /** Returns the message after a frame that had no code of this provider in it. */
  after({ text, isUnclear }: Reading, now: number): Advice {
    if (text !== undefined) this.#foreignAt = now;
    if (this.#foreignAt !== undefined) {
      if (now - this.#foreignAt <= FOREIGN_STAYS_MS) return 'foreign';
      this.#foreignAt = undefined;
      this.#lookingSince = now;
      this.#unclearFrames = 0;
    }
    // The count falls slowly. Pictures of other things look like a code for one frame only, and so never reach the
    // limit.
    this.#unclearFrames = Math.max(0, this.#unclearFrames + (isUnclear ? 1 : -0.5));
    const isFar = this.#unclearFrames >= UNCLEAR_FRAMES || now - this.#lookingSince > NOTHING_FOR_MS;
    // The advice stays once it is given: a user cannot follow a message that comes and goes.
    if (isFar) this.#lookingSince = Number.NEGATIVE_INFINITY;
    return isFar ? 'closer' : 'looking';
  }
}
