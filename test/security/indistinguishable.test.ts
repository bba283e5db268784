/** Unknown, foreign and expired are not told apart by what is answered. How long that takes is the subject of `timing.full.test.ts`. */
import { expect } from 'chai';
import type { Answer } from '../support/agent.ts';
import { type Access, Elsewhere } from '../support/elsewhere.ts';
import { World } from '../support/world.ts';
import { ASKED, type Asked, askable, KINDS } from './indistinguishable.ts';

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
      await World.during(askable({ store }), async (world) => {
        const asked = await ASKED[name]?.(world);
        if (asked === undefined) throw new Error('nobody asks for that');
        const { unknown, ...others } = await accessesOf(asked, elsewhere);
        expect(unknown).not.to.be.empty;
        for (const [kind, accesses] of Object.entries(others)) expect(accesses, kind).to.deep.equal(unknown);
      });
    });
  }
});

/** Asks for each kind. @returns what was accessed meanwhile: the operation and the kind of the record */
async function accessesOf({ urls, ask }: Asked, elsewhere: Elsewhere): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const kind of KINDS) {
    const accesses: string[] = [];
    elsewhere.before = async ({ operation, key }: Access) => {
      accesses.push(`${operation} ${key.replace(/[^:]*$/, '')}`);
    };
    await ask(urls[kind]);
    found[kind] = accesses.sort();
  }
  return found;
}

/** All of an answer but the time of the day. */
function whole({ status, headers, text }: Answer): unknown {
  return [status, [...headers].filter(([name]) => name !== 'date'), text];
}
