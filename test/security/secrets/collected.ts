/** Collects every secret that a provider exchanges in a test, and finds secrets in texts that must not contain them. */
import { inspect } from 'node:util';
import type { Agent } from '../../support/agent.ts';
import { codeIn, idIn } from '../../support/codes.ts';

/** Shorter values would be found by chance. */
const MIN_LENGTH = 6;

export class Secrets {
  readonly #values = new Map<string, string>();

  /** @param name the kind of the secret, for the message of a test that finds it */
  add(name: string, ...values: readonly unknown[]): this {
    for (const value of values) {
      if (typeof value === 'string' && value.length >= MIN_LENGTH) this.#values.set(value, name);
    }
    return this;
  }

  /** Adds the value of each cookie, including the `.sig` cookies, and each part of it after the first dot. */
  async addCookies(name: string, agent: Agent): Promise<this> {
    const store = agent.jar.store;
    for (const { key, value } of await store.getAllCookies()) {
      this.add(`${name}: cookie ${key}`, value, decodeURIComponent(value));
      for (const part of value.split('.').slice(1)) this.add(`${name}: part of cookie ${key}`, part);
    }
    return this;
  }

  addCode(code: string): this {
    return this.add('code', codeIn(code)).add("the ticket's id", idIn(code));
  }

  get size(): number {
    return this.#values.size;
  }

  /** Returns the names of the secrets that are in this text. */
  foundIn(text: string): string[] {
    return [...this.#values].filter(([value]) => isIn(text, value)).map(([, name]) => name);
  }

  filterByName(which: (name: string) => boolean): Secrets {
    const some = new Secrets();
    for (const [value, name] of this.#values) if (which(name)) some.add(name, value);
    return some;
  }
}

/**
 * Returns true if the text contains the value. Digits must stand alone, because a longer number may contain them by
 * chance.
 */
function isIn(text: string, value: string): boolean {
  return /^\d+$/.test(value) ? new RegExp(`(?<![\\d.])${value}(?!\\d)`).test(text) : text.includes(value);
}

/** Returns everything that can be read of a value: messages, stacks, causes, and properties at any depth. */
export function everythingIn(value: unknown): string {
  return inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true });
}
