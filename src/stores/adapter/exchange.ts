import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '../access.ts';
import type { Records } from './records.ts';

/**
 * The time for which only one exchange may use a record, in milliseconds. After that, another exchange may take it
 * over. The time is so short that a request which waits for an exchange whose process has died is answered within 5 s.
 */
const CLAIM_MS = 4_000;
/** The interval at which a record that another exchange has claimed is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 50;
/** The longest wait for another exchange, in milliseconds: a little longer than it may have the record. */
const LONGEST_WAIT_MS = CLAIM_MS + 500;
/** The time between two tries to give a record back while the store is out of reach, in milliseconds. */
const GIVE_BACK_AGAIN_MS = 100;
/** The longest time for which the answer of a failed exchange waits for such tries, in milliseconds. */
const ANSWER_WITHIN_MS = 1_500;
/** The time after which such tries end, in milliseconds. An authorization code has expired by then. */
const GIVE_BACK_FOR_MS = 60_000;

interface Claim {
  readonly releases: Releases;
  readonly records: Records;
  readonly key: string;
}

const exchanges = new AsyncLocalStorage<Exchange>();

/**
 * One request that exchanges an authorization code, a refresh token or another single-use record for tokens. It only
 * claims the records that it uses, and consumes them in {@link finish}, just before the tokens are sent. So a request
 * that fails, or whose process ends, has used nothing up.
 */
export class Exchange {
  readonly #id = randomBytes(16).toString('base64url');
  readonly #claims: Claim[] = [];

  /** Returns the exchange of the current request; undefined if it is no request to the token endpoint. */
  static get current(): Exchange | undefined {
    return exchanges.getStore();
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    return exchanges.run(this, task);
  }

  /**
   * Claims a record. Waits while another exchange has it, because only the end of that exchange shows if this request
   * is a replay.
   * @returns false if the record was consumed or does not exist
   * @throws QrLoginError `store_unavailable`
   */
  async claim(claim: Claim): Promise<boolean> {
    const { records, key } = claim;
    const until = performance.now() + LONGEST_WAIT_MS;
    // Note the claim before the first try: an access that fails may have claimed the record all the same.
    this.#claims.push(claim);
    for (;;) {
      const outcome = await records.claim(key, this.#id, CLAIM_MS);
      if (outcome !== 'busy') return outcome === 'claimed';
      if (performance.now() > until) throw unavailable();
      await delay(LOOK_AGAIN_MS);
    }
  }

  /**
   * Consumes what was claimed.
   * @returns false if another exchange has taken a record over: then the tokens of this one must not be sent
   * @throws QrLoginError `store_unavailable`
   */
  async finish(): Promise<boolean> {
    const now = Math.floor(Date.now() / 1000);
    const finished = await Promise.all(this.#claims.map(({ records, key }) => records.finish(key, this.#id, now)));
    return finished.every(Boolean);
  }

  /**
   * Gives back what was claimed, because no token has been sent. It does not throw: a step that fails is tried again
   * later.
   */
  async release(): Promise<void> {
    await Promise.all(this.#claims.map(({ releases, key }) => releases.release(key, this.#id)));
  }
}

/** Gives claimed records back, and goes on trying while the store is out of reach. */
export class Releases {
  readonly #records: Records;
  /** The exchanges whose claims are to be given back, by the keys of the records. */
  readonly #pending = new Map<string, string>();

  constructor(records: Records) {
    this.#records = records;
  }

  /**
   * Gives a record back. It may be called at any time, because it has an effect only while the exchange of this id has
   * the record. If the store is out of reach, it returns after a while and goes on in the background.
   */
  async release(key: string, id: string): Promise<void> {
    this.#pending.set(key, id);
    await Promise.race([this.#settleInTheEnd(key), delay(ANSWER_WITHIN_MS, undefined, { ref: false })]);
  }

  /**
   * Gives a record back now, if that has failed before. Called before the record is read, so that a request to this
   * process never mistakes an unused record for a consumed one.
   */
  async settle(key: string): Promise<void> {
    const id = this.#pending.get(key);
    if (id === undefined) return;
    await this.#records.release(key, id);
    if (this.#pending.get(key) === id) this.#pending.delete(key);
  }

  async #settleInTheEnd(key: string): Promise<void> {
    const until = performance.now() + GIVE_BACK_FOR_MS;
    while (this.#pending.has(key) && performance.now() < until) {
      await this.settle(key).catch(() => delay(GIVE_BACK_AGAIN_MS, undefined, { ref: false }));
    }
    this.#pending.delete(key);
  }
}
