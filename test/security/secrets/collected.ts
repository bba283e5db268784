/** Every secret that passes between people and a provider in a test, and whether it turns up where it must not. */
import { inspect } from 'node:util';
import type { Agent } from '../../support/agent.ts';
import { codeIn, idIn } from '../../support/codes.ts';

/** Shorter ones would be found by chance. */
const SHORTEST = 6;

export class Secrets {
  readonly #values = new Map<string, string>();

  /** @param name what it is, for the message of a test that finds it */
  add(name: string, ...values: readonly unknown[]): this {
    for (const value of values) {
      if (typeof value === 'string' && value.length >= SHORTEST) this.#values.set(value, name);
    }
    return this;
  }

  /** Each cookie, with and without its signature. */
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

  /** The names of those that turn up in this text. */
  foundIn(text: string): string[] {
    return [...this.#values].filter(([value]) => isIn(text, value)).map(([, name]) => name);
  }

  named(which: (name: string) => boolean): Secrets {
    const some = new Secrets();
    for (const [value, name] of this.#values) if (which(name)) some.add(name, value);
    return some;
  }
}

/** Six digits may stand within a number by chance. */
function isIn(text: string, value: string): boolean {
  return /^\d+$/.test(value) ? new RegExp(`(?<![\\d.])${value}(?!\\d)`).test(text) : text.includes(value);
}

/** All that there is to read of a value: messages, stacks, causes, and what lies in properties. */
export function everythingIn(value: unknown): string {
  return inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true });
}
