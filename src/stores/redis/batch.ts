import type { RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import { runScript, type Script, scriptOfAll } from './scripts.ts';

/** The most steps that go to Redis in one command. Redis does nothing else while a script runs. */
const MOST_STEPS = 50;

/** A step in Redis. It is sent alone as a command of its own, or together with others as a script. */
export interface Step<T> {
  readonly alone: (client: RedisClient) => Promise<T>;
  /** The script that does the same. */
  readonly script: Script;
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

interface WaitingStep extends Step<unknown> {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends the steps that come up in one turn of the event loop to Redis in one command, in their order. Each has its own
 * answer: if one fails, the others do not. In a cluster each step goes by itself, because all keys of a script have to
 * be in one slot.
 */
export class StepBatch {
  readonly #connection: RedisConnection;
  #waiting: WaitingStep[] = [];

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  send<T>(step: Step<T>): Promise<T> {
    if (this.#connection.isCluster) return this.#connection.send(step.alone);
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ ...step, resolve, reject });
      // Send the steps after all promises of this turn, and before the client writes.
      if (this.#waiting.length === 1) process.nextTick(() => this.#flush());
    }) as Promise<T>;
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += MOST_STEPS) {
      const [first, ...others] = waiting.slice(from, from + MOST_STEPS);
      if (first === undefined) return;
      if (others.length === 0) this.#connection.send(first.alone).then(first.resolve, first.reject);
      else void this.#sendTogether([first, ...others]);
    }
  }

  async #sendTogether(steps: readonly WaitingStep[]): Promise<void> {
    const { script, numberOf } = scriptOfAll();
    const keys = steps.flatMap((step) => step.keys);
    const values = steps.flatMap((step) => [
      `${numberOf(step.script)}`,
      `${step.keys.length}`,
      `${step.values.length}`,
      ...step.values,
    ]);
    try {
      const answers = await this.#connection.send((client) => runScript(client, script, keys, values));
      if (!Array.isArray(answers)) throw new TypeError('Redis did not return an answer for each step');
      for (const [index, { resolve, reject }] of steps.entries()) {
        const [succeeded, answer = null]: unknown[] = answers[index] ?? [];
        if (succeeded === 1) resolve(answer);
        else reject(new Error(String(answer)));
      }
    } catch (error) {
      for (const { reject } of steps) reject(error);
    }
  }
}
