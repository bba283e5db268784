import type { Rate, RateLimit } from '../../stores/rate-limit.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import { sourceOf } from './client-info.ts';
import type { Guard } from './guard.ts';

const CHECK_CODE = 'account:checkCode';

/** What is counted by the network address that it comes from. */
export type AddressAct = 'show' | 'watch' | 'finish' | 'scan' | 'shortCode' | 'decide';
/** And what by the account: an attacker may have many addresses. */
export type AccountAct = 'scan' | 'shortCode' | 'decide';
/** Wrong check codes are counted as well. */
export type AccountLimit = AccountAct | 'checkCode';

export interface Limits {
  readonly address: Readonly<Record<AddressAct, Rate>>;
  readonly account: Readonly<Record<AccountLimit, Rate>>;
}

/** Makes what counts. */
export type Counting = (name: string, rate: Rate) => RateLimit;

/** Thrown at whoever does something too often. */
export class TooManyRequests extends QrLoginError {
  /** Seconds. */
  readonly retryAfter: number;

  constructor(milliseconds: number) {
    const retryAfter = Math.max(1, Math.ceil(milliseconds / 1000));
    super('too_many_requests', `That was too often. Try again in ${retryAfter} seconds.`);
    this.retryAfter = retryAfter;
  }
}

/** Bounds how often somebody may do something (RFC 10027, section 6.1.11). */
export class RateLimits {
  readonly #limits: ReadonlyMap<string, RateLimit>;

  /** @param limits undefined for none */
  constructor(counting: Counting, limits: Limits | undefined) {
    const rates = Object.entries(limits ?? {}).flatMap(([by, acts]) =>
      Object.entries(acts as Readonly<Record<string, Rate>>).map(([act, rate]): [string, Rate] => [
        `${by}:${act}`,
        rate,
      ]),
    );
    this.#limits = new Map(rates.map(([name, rate]) => [name, counting(name, rate)]));
  }

  /** Counts requests by where they come from, before anything is looked at. */
  byAddress(act: AddressAct): Guard {
    const limit = this.#limits.get(`address:${act}`);
    return (ctx) => {
      const wait = limit?.take(sourceOf(ctx));
      // Nobody has to wait for what this process counts itself.
      return wait instanceof Promise ? wait.then(refuse) : refuse(wait);
    };
  }

  /** @throws TooManyRequests where this account does it too often */
  async forAccount(act: AccountAct, accountId: string): Promise<void> {
    refuse(await this.#limits.get(`account:${act}`)?.take(accountId));
  }

  /** Check codes count where they are wrong. @throws TooManyRequests where too many were */
  async beforeCheckCode(accountId: string): Promise<void> {
    refuse(await this.#limits.get(CHECK_CODE)?.ask(accountId));
  }

  async afterWrongCheckCode(accountId: string): Promise<void> {
    await this.#limits.get(CHECK_CODE)?.take(accountId);
  }
}

function refuse(wait: number | undefined): void {
  if (wait !== undefined) throw new TooManyRequests(wait);
}
