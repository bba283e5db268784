import hooks from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import { expect } from 'chai';
import { World } from './support/world.ts';

describe('a process that makes one provider after another', () => {
  it('adds no AsyncLocalStorage for each provider, because that would make all promises slower', async () => {
    const { AsyncLocalStorage } = hooks;
    const made: string[] = [];
    // Before Node 24, an AsyncLocalStorage never ends, and each new promise copies the values of all of them.
    hooks.AsyncLocalStorage = class<T> extends AsyncLocalStorage<T> {
      constructor() {
        super();
        made.push(String(new Error('made here').stack));
      }
    };
    syncBuiltinESMExports();
    try {
      for (let turn = 0; turn < 2; turn++) {
        await World.during({}, async (world) => {
          const { browser, phone } = await world.meet();
          await phone.scan(await browser.code());
          await phone.approve();
          await browser.arrive();
        });
      }
      expect(made).to.deep.equal([]);
    } finally {
      hooks.AsyncLocalStorage = AsyncLocalStorage;
      syncBuiltinESMExports();
    }
  });
});
