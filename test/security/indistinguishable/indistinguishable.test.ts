/** Unknown, foreign and expired are not told apart by what is answered. How long that takes is the subject of `timing.full.test.ts`. */
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

  // Not the other questions: a ticket that is unknown is looked up twice there, and a foreign one once.
  for (const name of ['a code that is opened, which the stranger has not seen before', 'a short code that is typed']) {
    it(`cost the store the same accesses: ${name}`, async () => {
      const { store, elsewhere } = Elsewhere.keyv();
      const accesses = new Accesses(elsewhere);
      await World.during(askable({ store, ...accesses.noted }), async (world) => {
        const asked = await ASKED[name]?.(world);
        if (asked === undefined) throw new Error('nobody asks for that');
        const unknown = await accesses.of(() => asked.ask(asked.urls.unknown));
        expect(unknown).not.to.be.empty;
        for (const kind of KINDS) {
          expect(await accesses.of(() => asked.ask(asked.urls[kind])), kind).to.deep.equal(unknown);
        }
      });
    });
  }
});

/** The accesses that a request makes; not those of the server's timers, which look at tickets now and then. */
class Accesses {
  readonly #request = new AsyncLocalStorage<string[]>();
  #current: string[] = [];

  constructor(elsewhere: Elsewhere) {
    elsewhere.before = async ({ operation, key }) => {
      this.#request.getStore()?.push(`${operation} ${key.replace(/[^:]*$/, '')}`);
    };
  }

  /** The options of the server whose requests are noted. */
  get noted(): WorldOptions {
    return inFront((_ctx, next) => this.#request.run(this.#current, next));
  }

  /** @returns what the requests of this act access: each operation, and the kind of the record */
  async of(act: () => Promise<unknown>): Promise<string[]> {
    const accesses: string[] = [];
    this.#current = accesses;
    await act();
    return accesses.toSorted();
  }
}

/** All of an answer but the time of the day. */
function whole({ status, headers, text }: Answer): unknown {
  return [status, [...headers].filter(([name]) => name !== 'date'), text];
}
