import { getStorePatience, TooLate, within } from '../access.ts';

/** A task that never ends keeps its turn for so many times the patience of others; the key would be locked for good. */
const TURNS_LAST = 10;

/**
 * Lets one task at a time run for each key; those for other keys go on beside it. Whoever waits does so for a bounded time:
 * a task that is still waiting for its turn then is not begun any more, and one that has begun keeps its turn until it ends, or
 * for so long that nobody can tell whether it ever will.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #patience: () => number;
  readonly #longestTurn: () => number;

  /** @param patience of whoever waits, in milliseconds; `Infinity` where tasks wait for nothing outside of this process */
  constructor(patience: () => number = getStorePatience, longestTurn: () => number = () => TURNS_LAST * patience()) {
    this.#patience = patience;
    this.#longestTurn = longestTurn;
  }

  /** @throws TooLate where the task was not done in time */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    let isWanted = true;
    const begin = async (): Promise<T> => {
      if (!isWanted) throw new TooLate();
      return task();
    };
    const before = this.#tails.get(key);
    const running = before === undefined ? begin() : before.then(begin);
    const end = (): void => {
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    };
    const turn: Promise<void> = within(running, this.#longestTurn()).then(end, end);
    this.#tails.set(key, turn);
    try {
      return await within(running, this.#patience());
    } finally {
      isWanted = false;
    }
  }
}
