import { randomBytes } from 'node:crypto';
import type { Clock, Notes } from '../../ticket/ports.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { type RateLimits, TooManyRequests } from './rate-limits.ts';

/** After too many wrong check codes in a row, an account gets no check codes for this long. */
const PAUSE_MS = 24 * 60 * 60 * 1000;
/** A series is remembered for longer than `limits.account.consecutiveCheckCodes` counts it. */
const SERIES_MS = 22 * 24 * 60 * 60 * 1000;
const SERIES_BYTES = 12;

export interface WrongCheckCodePorts {
  readonly limits: Pick<RateLimits, 'limitsSeries' | 'countInSeries'>;
  readonly notes: Notes;
  readonly keys: SecretKeys;
  readonly clock: Clock;
}

/**
 * Counts the wrong check codes of each account between two right ones (NIST SP 800-63B-4, section 3.2.2). After too
 * many, sign-ins of that account that need a check code are refused for a day. Sign-ins that need none still work: in a
 * known browser, with a passkey, or on the deployment's own pages. A wrong code counts only for a ticket that the
 * account itself has approved, so an attacker cannot reach the limit without the owner.
 */
export class WrongCheckCodes {
  readonly #ports: WrongCheckCodePorts;

  constructor(ports: WrongCheckCodePorts) {
    this.#ports = ports;
  }

  /** Ensures that this account is not paused. @throws TooManyRequests with the reason `check-codes` during a pause */
  async assertNotPaused(accountId: string): Promise<void> {
    const { limits, clock } = this.#ports;
    if (!limits.limitsSeries) return;
    const left = Number((await this.#read('pause', accountId)) ?? 0) - clock();
    if (left > 0) throw new TooManyRequests(left, 'check-codes');
  }

  /**
   * Counts a wrong check code of the account that has approved.
   * @returns the end of the pause that begins now, in milliseconds since the epoch; undefined if none begins
   */
  async noteWrong(accountId: string): Promise<number | undefined> {
    const { limits, notes, clock } = this.#ports;
    const [first = ''] = this.#names('series', accountId);
    const series = (await this.#read('series', accountId)) ?? first;
    if (!(await limits.countInSeries(series))) return undefined;
    const until = clock() + PAUSE_MS;
    const [pause = ''] = this.#names('pause', accountId);
    await notes.write(pause, PAUSE_MS, `${until}`);
    await this.#beginSeries(accountId);
    return until;
  }

  /** Ends the count, because this account has typed a right check code. */
  async noteRight(accountId: string): Promise<void> {
    if (this.#ports.limits.limitsSeries) await this.#beginSeries(accountId);
  }

  /**
   * Begins a new series for the next codes. Each series has its own counter, because not every store can reset one.
   */
  async #beginSeries(accountId: string): Promise<void> {
    const [name = ''] = this.#names('series', accountId);
    await this.#ports.notes.write(name, SERIES_MS, randomBytes(SERIES_BYTES).toString('base64url'));
  }

  async #read(kind: 'pause' | 'series', accountId: string): Promise<string | undefined> {
    const found = await Promise.all(this.#names(kind, accountId).map((name) => this.#ports.notes.read(name)));
    return found.find((note) => note !== undefined);
  }

  /** Returns the names of a note, which do not contain the account: under the current key first, then older ones. */
  #names(kind: 'pause' | 'series', accountId: string): string[] {
    return this.#ports.keys.candidates('wrong check codes', kind, accountId).map((mac) => mac.toString('base64url'));
  }
}
