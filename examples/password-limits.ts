/** Limits how often passwords can be guessed, by network address and by account. Each process counts for itself. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** Wrong passwords from one address in a minute: a family or an office may share the address. */
const BY_ADDRESS = { points: 20, duration: 60 };
/** Wrong passwords for one account in an hour, from all addresses together (NIST SP 800-63B-4, section 3.2.2). */
const BY_ACCOUNT = { points: 50, duration: 3600 };

export class PasswordLimits {
  readonly #byAddress = new RateLimiterMemory(BY_ADDRESS);
  readonly #byAccount = new RateLimiterMemory(BY_ACCOUNT);

  /**
   * Counts a try before the password is checked, so that tries at the same time count too.
   * @returns the number of seconds to wait if there were too many
   */
  async begin(address: string, userName: string): Promise<number | undefined> {
    try {
      await this.#byAddress.consume(address);
      await this.#byAccount.consume(userName);
      return undefined;
    } catch (error) {
      if (error instanceof RateLimiterRes) return Math.ceil(error.msBeforeNext / 1000);
      throw error;
    }
  }

  /** Takes back a counted try, because its password was right. */
  async succeed(address: string, userName: string): Promise<void> {
    await Promise.all([this.#byAddress.reward(address), this.#byAccount.reward(userName)]);
  }
}
