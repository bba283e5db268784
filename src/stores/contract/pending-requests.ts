/**
 * The contract of an engine's pending requests: when one process has added a request, all processes find it until it
 * ends.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { MOST_REQUESTS, type PendingRequest, type PendingRequests } from '../../ticket/requests/pending-request.ts';
import { eventually } from './eventually.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

const MINUTE_MS = 60_000;
const SHORT_MS = 150;

export function pendingRequestsContract({ describe, it }: TestRunner, engines: () => EnginePair): void {
  const here = (): PendingRequests => engines().here.requests;
  const there = (): PendingRequests => engines().there.requests;
  const now = (): number => Math.round(engines().here.clock());

  const request = (more: Partial<PendingRequest> = {}): PendingRequest => ({
    id: randomUUID(),
    sender: `client:${randomUUID()} "1"`,
    endsAt: now() + MINUTE_MS,
    ...more,
  });
  const byId = (list: readonly PendingRequest[]): PendingRequest[] =>
    [...list].sort((one, other) => one.id.localeCompare(other.id));

  describe('pending requests', () => {
    it('are on the list of their account after they were added, and on no other list', async () => {
      const accountId = randomUUID();
      assert.deepEqual(await there().list(accountId), []);
      const both = [request(), request()];
      for (const one of both) assert.equal(await here().add(accountId, one), true);
      assert.deepEqual(byId(await there().list(accountId)), byId(both));
      assert.deepEqual(await there().list(randomUUID()), []);
    });

    it('keep fields of a newer version that this one does not know', async () => {
      const accountId = randomUUID();
      const one = { ...request(), format: 1, future: { list: [1, 'two', null] } };
      await here().add(accountId, one);
      assert.deepEqual(await there().list(accountId), [one]);
    });

    it('are one for each sender: a second one is not added before the first has gone', async () => {
      const accountId = randomUUID();
      const [first, second] = [request({ sender: 'client:a' }), request({ sender: 'client:a' })];
      assert.equal(await here().add(accountId, first), true);
      assert.equal(await there().add(accountId, second), false);
      assert.deepEqual(await there().list(accountId), [first]);
      await there().remove(accountId, first.id);
      assert.equal(await here().add(accountId, second), true);
      assert.deepEqual(await there().list(accountId), [second]);
    });

    it('are one for each sender also if all processes add one at once', async () => {
      const accountId = randomUUID();
      const tries = Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? here() : there()).add(accountId, request({ sender: 'client:a' })),
      );
      assert.equal((await Promise.all(tries)).filter(Boolean).length, 1);
      assert.equal((await there().list(accountId)).length, 1);
    });

    it('are only a few, also if all processes add some at once', async () => {
      const accountId = randomUUID();
      const tries = Array.from({ length: MOST_REQUESTS + 3 }, (_, index) =>
        (index % 2 ? here() : there()).add(accountId, request()),
      );
      assert.equal((await Promise.all(tries)).filter(Boolean).length, MOST_REQUESTS);
      const list = await there().list(accountId);
      assert.equal(list.length, MOST_REQUESTS);
      await here().remove(accountId, list[0]?.id ?? '');
      assert.equal(await there().add(accountId, request()), true);
    });

    it('are removed by their id alone, and the others stay', async () => {
      const accountId = randomUUID();
      const [one, other] = [request(), request()];
      await here().add(accountId, one);
      await here().add(accountId, other);
      await there().remove(accountId, randomUUID());
      await there().remove(accountId, one.id);
      await there().remove(randomUUID(), other.id);
      assert.deepEqual(await here().list(accountId), [other]);
    });

    it('leave the list by themselves, each at its own time, and make room', async () => {
      const accountId = randomUUID();
      const long = request();
      const short = request({ sender: 'client:a', endsAt: now() + SHORT_MS });
      assert.equal(await here().add(accountId, long), true);
      assert.equal(await here().add(accountId, short), true);
      await eventually('one has left', async () => (await there().list(accountId)).length < 2);
      assert.deepEqual(await there().list(accountId), [long]);
      assert.equal(await there().add(accountId, request({ sender: 'client:a' })), true);
      assert.equal((await here().list(accountId)).length, 2);
    });
  });
}
