import type { Context } from 'koa';
import type { Rate, RateLimit } from '../../stores/rate-limit.ts';
import { type ErrorReason, QrLoginError } from '../../ticket/errors.ts';
import { sourceOf } from './client-info.ts';

const START = 'address:start';
const CHECK_CODE = 'account:checkCode';
const SERIES = 'account:consecutiveCheckCodes';

/** The acts that are counted by the network address of the request. */
export type AddressAct = 'start' | 'show' | 'watch' | 'finish' | 'scan' | 'shortCode' | 'decide' | 'request';
/** The acts that are counted by account as well, because an attacker may have many addresses. */
export type AccountAct = 'scan' | 'shortCode' | 'decide' | 'request';
/** The limits by account. Wrong check codes are counted besides the acts. */
export type AccountLimit = AccountAct | 'checkCode' | 'consecutiveCheckCodes';

export interface Limits {
  readonly address: Readonly<Record<AddressAct, Rate>>;
  readonly account: Readonly<Record<AccountLimit, Rate>>;
}

/** Makes the counter of one limit. */
export type MakeCounter = (name: string, rate: Rate) => RateLimit;

/** Thrown if a client or an account does something too often. */
export class TooManyRequests extends QrLoginError {
  /** Seconds until the client may try again. */
  readonly retryAfter: number;

  constructor(milliseconds: number, reason?: ErrorReason) {
    const retryAfter = Math.max(1, Math.ceil(milliseconds / 1000));
    super('too_many_requests', `That was too often. Try again in ${retryAfter} seconds.`, { reason });
    this.retryAfter = retryAfter;
  }
}

/** Limits how often a client or an account may do something (RFC 10027, section 6.1.11). */
export class RateLimits {
  readonly #limits: ReadonlyMap<string, RateLimit>;

  /** @param limits undefined for no limits */
  constructor(makeCounter: MakeCounter, limits: Limits | undefined) {
    const rates = Object.entries(limits ?? {}).flatMap(([by, acts]) =>
      Object.entries(acts as Readonly<Record<string, Rate>>).map(([act, rate]): [string, Rate] => [
        `${by}:${act}`,
        rate,
      ]),
    );
    this.#limits = new Map(rates.map(([name, rate]) => [name, makeCounter(name, rate)]));
  }

  /** Returns a guard that counts requests by the network address that they come from. */
  byAddress(act: AddressAct): (request: { readonly ctx: Context }) => void | Promise<void> {
    const limit = this.#limits.get(`address:${act}`);
    return ({ ctx }) => {
      const wait = limit?.take(sourceOf(ctx));
      // A limit that this process counts itself answers without a promise.
      return wait instanceof Promise ? wait.then(throwIfLimited) : throwIfLimited(wait);
    };
  }

  /**
   * Checks the limit of requests that count only if they start an interaction.
   * @throws TooManyRequests if this address started too many
   */
  async beforeStart(ctx: Context): Promise<void> {
    throwIfLimited(await this.#limits.get(START)?.ask(sourceOf(ctx)));
  }

  /** Counts an interaction that was started. */
  async afterStart(ctx: Context): Promise<void> {
    await this.#limits.get(START)?.take(sourceOf(ctx));
  }

  /** Counts an act of an account. @throws TooManyRequests if the account does it too often */
  async forAccount(act: AccountAct, accountId: string): Promise<void> {
    throwIfLimited(await this.#limits.get(`account:${act}`)?.take(accountId));
  }

  /**
   * Ensures that an account may try a check code. Only wrong check codes count.
   * @throws TooManyRequests if too many check codes of this account were wrong
   */
  async beforeCheckCode(accountId: string): Promise<void> {
    throwIfLimited(await this.#limits.get(CHECK_CODE)?.ask(accountId));
  }

  /** Counts a wrong check code. */
  async afterWrongCheckCode(accountId: string): Promise<void> {
    await this.#limits.get(CHECK_CODE)?.take(accountId);
  }

  /** True if the wrong check codes between two right ones are limited. */
  get limitsSeries(): boolean {
    return this.#limits.has(SERIES);
  }

  /**
   * Counts a wrong check code in a series between two right ones.
   * @returns true if it is the last one that is allowed
   */
  async countInSeries(series: string): Promise<boolean> {
    const limit = this.#limits.get(SERIES);
    if (limit === undefined || (await limit.take(series)) !== undefined) return false;
    return (await limit.ask(series)) !== undefined;
  }
}

function throwIfLimited(wait: number | undefined): void {
  if (wait !== undefined) throw new TooManyRequests(wait);
}
