/** Answers do not tell unknown, foreign and expired tickets apart. `timing.full.test.ts` compares response times. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { World, type WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';
import { ASKED, askable, KINDS } from './indistinguishable.ts';

describe('codes and tickets that are unknown, foreign or expired', () => {
  for (const [name, prepare] of Object.entries(ASKED)) {
    it(`get the same answer: ${name}`, () =>
      World.during(askable(), async (world) => {
        const { urls, ask } = await prepare(world);
        const unknown = whole(await ask(urls.unknown));
        for (const kind of KINDS) expect(whole(await ask(urls[kind])), kind).to.deep.equal(unknown);
      }));
  }

  // The other requests look an unknown ticket up twice, but a foreign one once.
  for (const name of ['opening a code that the stranger has not seen before', 'typing a short code']) {
    it(`cause the same accesses to the store: ${name}`, async () => {
      const { store, elsewhere } = Elsewhere.keyv();
      const accesses = new Accesses(elsewhere);
      await World.during(askable({ store, ...accesses.noted }), async (world) => {
        const asked = await ASKED[name]?.(world);
        if (asked === undefined) throw new Error('there is no such request');
        const unknown = await accesses.during(() => asked.ask(asked.urls.unknown));
        expect(unknown).not.to.be.empty;
        for (const kind of KINDS) {
          expect(await accesses.during(() => asked.ask(asked.urls[kind])), kind).to.deep.equal(unknown);
        }
      });
    });
  }
});

/** One for all servers: each additional storage makes all promises slower. */
const requests = new AsyncLocalStorage<string[]>();

/** Records the store accesses of requests, without those of the server's timers, which look at tickets as well. */
class Accesses {
  #current: string[] = [];

  constructor(elsewhere: Elsewhere) {
    elsewhere.before = async ({ operation, key }) => {
      requests.getStore()?.push(`${operation} ${key.replace(/[^:]*$/, '')}`);
    };
  }

  /** Options that record the accesses of the server's requests. */
  get noted(): WorldOptions {
    return inFront((_ctx, next) => requests.run(this.#current, next));
  }

  /** Runs the act. @returns the accesses of its requests: each operation, and the kind of the record */
  async during(act: () => Promise<unknown>): Promise<string[]> {
    const accesses: string[] = [];
    this.#current = accesses;
    await act();
    return accesses.toSorted();
  }
}

/** Returns the whole answer except for its Date header. */
function whole({ status, headers, text }: Answer): unknown {
  return [status, [...headers].filter(([name]) => name !== 'date'), text];
}
