/** The contract of an engine's rate limits. Each process may count by itself, or all processes together. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

const MINUTE_S = 60;

export function rateLimitContract({ describe, it }: TestRunner, engines: () => EnginePair): void {
  const threeAMinute = () => engines().here.rateLimit(randomUUID(), { times: 3, within: MINUTE_S });

  describe('a rate limit', () => {
    it('refuses a key after its number of requests, and says how long to wait', async () => {
      const limit = threeAMinute();
      const key = randomUUID();
      for (let count = 0; count < 3; count++) assert.equal(await limit.take(key), undefined);
      const wait = (await limit.take(key)) ?? 0;
      assert.ok(wait > 0 && wait <= MINUTE_S * 1000, `${wait} ms`);
    });

    it('counts each key, and each name, by itself', async () => {
      const [limit, otherName] = [threeAMinute(), threeAMinute()];
      const key = randomUUID();
      for (let count = 0; count < 4; count++) await limit.take(key);
      assert.equal(await limit.take(randomUUID()), undefined);
      assert.equal(await otherName.take(key), undefined);
    });

    it('can be asked without counting', async () => {
      const limit = threeAMinute();
      const key = randomUUID();
      for (let count = 0; count < 9; count++) assert.equal(await limit.ask(key), undefined);
      for (let count = 0; count < 3; count++) assert.equal(await limit.take(key), undefined);
      assert.ok(((await limit.ask(key)) ?? 0) > 0);
    });

    it('counts concurrent requests exactly', async () => {
      const limit = threeAMinute();
      const key = randomUUID();
      const waits = await Promise.all(Array.from({ length: 10 }, () => limit.take(key)));
      assert.equal(waits.filter((wait) => wait === undefined).length, 3);
    });

    it('allows requests again after its window', async () => {
      const limit = engines().here.rateLimit(randomUUID(), { times: 1, within: 1 });
      const key = randomUUID();
      await limit.take(key);
      await eventually('the window is over', async () => (await limit.ask(key)) === undefined);
      assert.equal(await limit.take(key), undefined);
    });
  });
}
