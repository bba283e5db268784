/** The time between two reports of the same trouble. */
const REPORT_EVERY_MS = 60_000;

/**
 * Reports that Redis refuses to publish or to subscribe, because the plugin's Redis user lacks the rights (ACL). The
 * process gets one warning; the callback gets an error at most once a minute.
 */
export class RefusedSignals {
  readonly #channels: string;
  readonly #onTrouble: (error: Error) => void;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param channels the prefix of the channels that the user needs */
  constructor(channels: string, onTrouble: (error: Error) => void) {
    this.#channels = channels;
    this.#onTrouble = onTrouble;
  }

  report(reason: string): void {
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_EVERY_MS) return;
    if (this.#reportedAt === Number.NEGATIVE_INFINITY) this.#warn(reason);
    this.#reportedAt = now;
    this.#onTrouble(new Error(reason));
  }

  #warn(reason: string): void {
    const channels = this.#channels;
    process.emitWarning(
      `Redis refuses notifications, so browsers learn of changes some seconds late; give the plugin's Redis user +@pubsub and &${channels}*: ${reason}`,
      { type: 'QrLoginWarning', code: 'QR_LOGIN_NO_SIGNALS' },
    );
  }
}
