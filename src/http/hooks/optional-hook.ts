import { type Hook, resultOf, wrongResult } from './call-hook.ts';

/** The longest wait for a result that a request can do without, in milliseconds. */
const PATIENCE_MS = 500;

/**
 * A function of the deployment that gives something optional, such as a place or a logo, and the way its result is
 * read.
 */
export interface OptionalHookFacts<T> extends Pick<Hook<T>, 'name' | 'returns'> {
  /** The result, as the warning names it: `place`. */
  readonly gives: string;
  /** The code of the warning. */
  readonly warning: string;
  /** Returns the result in the form in which it is used; undefined if the function may not return such a result. */
  readonly read: (result: unknown) => T | undefined;
}

/** A function of the deployment that requests can do without. If it fails, they continue, and the process warns. */
export class OptionalHook<T> {
  readonly #facts: OptionalHookFacts<T>;
  /** True once the deployment has been warned. It is warned again after the function has worked in between. */
  #hasWarned = false;

  constructor(facts: OptionalHookFacts<T>) {
    this.#facts = facts;
  }

  /** Calls the function. @returns its result; undefined if it has none, fails, or takes longer than half a second */
  async ask(call: () => unknown): Promise<T | undefined> {
    try {
      const result = this.#read(await resultOf(this.#facts, PATIENCE_MS, call));
      this.#hasWarned = false;
      return result;
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #read(result: unknown): T | undefined {
    if (result === undefined) return undefined;
    const read = this.#facts.read(result);
    if (read === undefined) throw wrongResult(this.#facts, result);
    return read;
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const { name, gives, warning: code } = this.#facts;
    process.emitWarning(`${name}() gives no ${gives}: ${error}`, { type: 'QrLoginWarning', code });
  }
}
