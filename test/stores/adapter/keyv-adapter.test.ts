import { expect } from 'chai';
import { keyvAdapter } from '../../../src/stores/adapter/keyv-adapter.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';
import { ADAPTER_BACKENDS, type AdapterBackend, IN_MEMORY } from './backends.ts';
import { testConsume } from './consume-contract.ts';
import { testExchanges } from './exchange-contract.ts';
import { testGrants } from './grants-contract.ts';
import { testMethods } from './methods-contract.ts';
import { everyModel, modelsOfSuite } from './payloads.ts';
import { testReplays } from './replays-contract.ts';

for (const [name, start] of Object.entries(ADAPTER_BACKENDS)) {
  // In memory, testing every model takes almost no time.
  const choose = name === IN_MEMORY ? everyModel : modelsOfSuite;

  describe(`the adapter over ${name}`, () => {
    let started: AdapterBackend | undefined;

    function backend(): AdapterBackend {
      if (started === undefined) throw new Error('not started');
      return started;
    }

    storesMayTake(GENEROUS);

    before(async () => {
      started = await start();
    });

    after(() => started?.stop());

    testMethods(backend, choose);
    testConsume(backend, choose);
    testExchanges(backend, choose);
    testGrants(backend, choose);
    testReplays(backend, choose);
  });
}

describe('keyvAdapter', () => {
  it('is refused without a Keyv, with a message that says what to write', () => {
    const others: [unknown, string][] = [
      [undefined, 'undefined'],
      [new Map(), 'a Map'],
      ['redis://user:password@localhost', 'a text'],
      [{ url: 'redis:' }, 'an Object'],
      [Object.create(null), 'a bare object'],
    ];
    for (const [other, kind] of others) {
      expect(() => Reflect.apply(keyvAdapter, undefined, [other])).to.throw(
        TypeError,
        `keyvAdapter needs a Keyv, not ${kind}: keyvAdapter(new Keyv())`,
      );
    }
  });
});
