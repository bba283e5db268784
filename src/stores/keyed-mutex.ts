import { PATIENCE, TooLate, within } from './access.ts';

/** A task that never ends keeps its turn for this long, in milliseconds; the key would be locked for good. */
const LONGEST_TURN = 10 * PATIENCE;

/**
 * Lets one task at a time run for each key; those for other keys go on beside it. Whoever waits does so for a bounded time:
 * a task that is still waiting for its turn then is not begun any more, and one that has begun keeps its turn until it ends, or
 * for so long that nobody can tell whether it ever will.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #longestTurn: number;

  constructor(longestTurn: number = LONGEST_TURN) {
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
    const turn = within(running, this.#longestTurn).then(nothing, nothing);
    this.#tails.set(key, turn);
    turn.then(() => {
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    });
    try {
      return await within(running);
    } finally {
      isWanted = false;
    }
  }
}

function nothing(): void {}
