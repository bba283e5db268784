/** The answers to unknown, foreign and expired tickets are the same. `timing.full.test.ts` compares response times. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import type { Answer } from '../../support/agent.ts';
import { Elsewhere } from '../../support/elsewhere.ts';
import { World, type WorldOptions } from '../../support/world.ts';
import { inFront } from '../attack.ts';
import { KINDS, LOOKUPS, serverForLookups } from './indistinguishable.ts';

describe('an unknown ticket, a ticket of another account and an expired one', () => {
  for (const [name, prepare] of Object.entries(LOOKUPS)) {
    it(`have the same answer when a stranger tries ${name}`, () =>
      World.during(serverForLookups(), async (world) => {
        const { targets, send } = await prepare(world);
        const unknown = withoutDate(await send(targets.unknown));
        for (const kind of KINDS) expect(withoutDate(await send(targets[kind])), kind).to.deep.equal(unknown);
      }));
  }

  // Only these two: other requests read an unknown ticket twice and a foreign one once, so their accesses differ.
  for (const name of ['to open a code for the first time', 'to type a short code']) {
    it(`cause the same accesses to the store when a stranger tries ${name}`, async () => {
      const { store, elsewhere } = Elsewhere.keyv();
      const accesses = new Accesses(elsewhere);
      await World.during(serverForLookups({ store, ...accesses.recording }), async (world) => {
        const lookup = await LOOKUPS[name]?.(world);
        if (lookup === undefined) throw new Error('there is no such request');
        const unknown = await accesses.during(() => lookup.send(lookup.targets.unknown));
        expect(unknown).not.to.be.empty;
        for (const kind of KINDS) {
          expect(await accesses.during(() => lookup.send(lookup.targets[kind])), kind).to.deep.equal(unknown);
        }
      });
    });
  }
});

/** All servers share one AsyncLocalStorage, because each additional one makes all promises slower. */
const requests = new AsyncLocalStorage<string[]>();

/** Records the store accesses of requests, without the accesses of the server's timers, which also read tickets. */
class Accesses {
  #current: string[] = [];

  constructor(elsewhere: Elsewhere) {
    elsewhere.before = async ({ operation, key }) => {
      requests.getStore()?.push(`${operation} ${key.replace(/[^:]*$/, '')}`);
    };
  }

  /** Options that record the accesses of the server's requests. */
  get recording(): WorldOptions {
    return inFront((_ctx, next) => requests.run(this.#current, next));
  }

  /** Runs the act. @returns the accesses of its requests: the operation and the kind of the record of each */
  async during(act: () => Promise<unknown>): Promise<string[]> {
    const accesses: string[] = [];
    this.#current = accesses;
    await act();
    return accesses.toSorted();
  }
}

/** Returns the answer without its Date header. */
function withoutDate({ status, headers, text }: Answer): unknown {
  return [status, [...headers].filter(([name]) => name !== 'date'), text];
}
