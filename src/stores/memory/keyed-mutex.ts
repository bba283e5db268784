import { getStorePatience, TooLate, withDeadline } from '../deadline.ts';

/**
 * The longest turn of a task, as a multiple of the callers' patience. Without it, a task that hangs would lock its key
 * for good.
 */
const LONGEST_TURN_FACTOR = 10;

/**
 * Runs one task at a time for each key; tasks for different keys run concurrently. A caller waits for a limited time.
 * If its task has not started by then, it never starts. A task that has started keeps its turn until it
 * ends, but no longer than the longest turn.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #patience: () => number;
  readonly #longestTurn: () => number;

  /**
   * @param patience the milliseconds that a caller waits; `Infinity` if tasks wait for nothing outside of this process
   * @param longestTurn the milliseconds after which the next task may start although the one before has not ended
   */
  constructor(
    patience: () => number = getStorePatience,
    longestTurn: () => number = () => LONGEST_TURN_FACTOR * patience(),
  ) {
    this.#patience = patience;
    this.#longestTurn = longestTurn;
  }

  /** Runs the task when it is its turn, and returns its result. @throws TooLate if it has not ended in time */
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
    const turn: Promise<void> = withDeadline(running, this.#longestTurn()).then(end, end);
    this.#tails.set(key, turn);
    try {
      return await withDeadline(running, this.#patience());
    } finally {
      isWanted = false;
    }
  }
}
