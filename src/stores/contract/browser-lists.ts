/** The contract of an engine's lists of browsers: all processes can read an entry that one wrote, until it ends. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type BrowserList, type ListedBrowser, MOST_BROWSERS } from '../../ticket/browsers/browser-list.ts';
import type { KnownBrowser } from '../../ticket/browsers/known-browser.ts';
import { browserId, type SignedInBrowser } from '../../ticket/browsers/signed-in-browser.ts';
import type { PushSubscription } from '../../ticket/requests/push-subscription.ts';
import type { StoreEngine } from '../store-engine.ts';
import { eventually } from './eventually.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

const MINUTE_MS = 60_000;

/** A kind of list: how to reach it in an engine, and how to make an entry. */
interface ListKind<Entry extends ListedBrowser> {
  readonly title: string;
  readonly of: (engine: StoreEngine) => BrowserList<Entry>;
  readonly entry: (now: number) => Entry;
}

const DESCRIPTION = { name: 'Chrome', system: 'Windows', place: { country: 'DE', city: 'Berlin\n7 8' } };

const SIGNED_IN: ListKind<SignedInBrowser> = {
  title: 'browsers',
  of: ({ browsers }) => browsers,
  entry: (now) => {
    const sessionUid = randomUUID();
    const times = { signedInAt: now, lastUsedAt: now, endsAt: now + MINUTE_MS };
    return { id: browserId(sessionUid), sessionUid, ...DESCRIPTION, ...times };
  },
};

const KNOWN: ListKind<KnownBrowser> = {
  title: 'known browsers',
  of: ({ known }) => known,
  entry: (now) => {
    const times = { trustedAt: now, lastUsedAt: now, endsAt: now + MINUTE_MS };
    return { id: randomUUID(), sessionUid: randomUUID(), ...DESCRIPTION, ...times };
  },
};

const SUBSCRIBED: ListKind<PushSubscription> = {
  title: 'subscriptions',
  of: ({ subscriptions }) => subscriptions,
  entry: (now) => {
    const times = { subscribedAt: now, lastUsedAt: now, endsAt: now + MINUTE_MS };
    return { id: randomUUID(), sessionUid: randomUUID(), sealed: 'c2VhbGVk', name: 'Chrome', ...times };
  },
};

export function browserListsContract(runner: TestRunner, engines: () => EnginePair): void {
  listContract(runner, engines, SIGNED_IN);
  listContract(runner, engines, KNOWN);
  listContract(runner, engines, SUBSCRIBED);

  runner.describe('the kinds of lists', () => {
    runner.it('are separate', async () => {
      const accountId = randomUUID();
      const { here, there } = engines();
      await here.browsers.put(accountId, SIGNED_IN.entry(Math.round(here.clock())));
      assert.deepEqual(await there.known.list(accountId), []);
      assert.deepEqual(await there.subscriptions.list(accountId), []);
    });
  });
}

function listContract<Entry extends ListedBrowser>(
  { describe, it }: TestRunner,
  engines: () => EnginePair,
  { title, of, entry }: ListKind<Entry>,
): void {
  const here = (): BrowserList<Entry> => of(engines().here);
  const there = (): BrowserList<Entry> => of(engines().there);
  const now = (): number => Math.round(engines().here.clock());

  const browser = (more: Partial<ListedBrowser> = {}): Entry => ({ ...entry(now()), ...more });
  const byId = (list: readonly Entry[]): Entry[] => [...list].sort((one, other) => one.id.localeCompare(other.id));

  /**
   * Puts a browser on the list that would soon leave it, and prolongs its time by a use. Tries again with a longer time
   * if the machine was too slow. @returns the end before the use
   */
  async function prolong(accountId: string): Promise<number> {
    for (let life = 100; life < MINUTE_MS; life *= 4) {
      const one = browser({ endsAt: now() + life });
      await here().put(accountId, one);
      const use = { lastUsedAt: now(), endsAt: now() + MINUTE_MS };
      if (await here().used(accountId, one.id, use)) return one.endsAt;
    }
    throw new Error('a use does not find a browser on the list');
  }

  describe(title, () => {
    it('keep the fields of an entry that their type does not have', async () => {
      const accountId = randomUUID();
      const other = { ...browser(), source: '192.0.2.7', tickets: [{ state: 'waiting' }] };
      await here().put(accountId, other);
      assert.deepEqual(await there().list(accountId), [other]);
    });

    it('are on the list of their account after they were put there, and on no other list', async () => {
      const accountId = randomUUID();
      assert.deepEqual(await there().list(accountId), []);
      const { name: _name, system: _system, place: _place, ...plain }: Entry & Partial<typeof DESCRIPTION> = browser();
      const both: Entry[] = [browser(), plain as unknown as Entry];
      for (const one of both) assert.deepEqual(await here().put(accountId, one), []);
      assert.deepEqual(byId(await there().list(accountId)), byId(both));
      assert.deepEqual(await there().list(randomUUID()), []);
    });

    it('replace a browser with the same id', async () => {
      const accountId = randomUUID();
      const first = browser();
      const second = { ...first, system: 'Linux', sessionUid: randomUUID() };
      await here().put(accountId, first);
      assert.deepEqual(await there().put(accountId, second), []);
      assert.deepEqual(await here().list(accountId), [second]);
    });

    it('are updated by a use if they are on the list, and not added by it if they are not', async () => {
      const accountId = randomUUID();
      const one = browser();
      const use = { lastUsedAt: now() + 5, endsAt: now() + 2 * MINUTE_MS };
      assert.equal(await here().used(accountId, one.id, use), false);
      assert.deepEqual(await there().list(accountId), []);
      await here().put(accountId, one);
      assert.equal(await there().used(accountId, one.id, use), true);
      assert.equal(await there().used(accountId, browser().id, use), false);
      assert.deepEqual(await here().list(accountId), [{ ...one, ...use }]);
    });

    it('keep fields of a newer version that this one does not know, also after a use', async () => {
      const accountId = randomUUID();
      const one = { ...browser(), future: { list: [1, 'two', null] } };
      const use = { lastUsedAt: now() + 5, endsAt: now() + 2 * MINUTE_MS };
      await here().put(accountId, one);
      assert.equal(await there().used(accountId, one.id, use), true);
      assert.deepEqual(await here().list(accountId), [{ ...one, ...use }]);
    });

    it('are renamed if they are on the list, and keep everything else, also a use in the meantime', async () => {
      const accountId = randomUUID();
      const [one, other] = [{ ...browser(), future: { list: [1, 'two', null] } }, browser()];
      const label = 'Mein Büro 🖥 "1"';
      assert.equal(await here().rename(accountId, one.id, label), false);
      await here().put(accountId, one);
      await here().put(accountId, other);
      const use = { lastUsedAt: now() + 5, endsAt: now() + 2 * MINUTE_MS };
      const both = [here().used(accountId, one.id, use), there().rename(accountId, one.id, label)];
      assert.deepEqual(await Promise.all(both), [true, true]);
      assert.equal(await there().rename(accountId, browser().id, label), false);
      assert.deepEqual(byId(await here().list(accountId)), byId([{ ...one, ...use, label }, other]));
      assert.equal(await here().rename(accountId, one.id, undefined), true);
      assert.deepEqual(byId(await there().list(accountId)), byId([{ ...one, ...use }, other]));
    });

    it('are not put back by a rename if they are removed meanwhile', async () => {
      const accountId = randomUUID();
      const many = Array.from({ length: 10 }, () => browser());
      for (const one of many) await here().put(accountId, one);
      await Promise.all(
        many.flatMap(({ id }) => [there().rename(accountId, id, 'Office'), here().remove(accountId, id)]),
      );
      assert.deepEqual(await here().list(accountId), []);
    });

    it('are removed one by one', async () => {
      const accountId = randomUUID();
      const [one, other] = [browser(), browser()];
      await here().put(accountId, one);
      await here().put(accountId, other);
      await there().remove(accountId, one.id);
      await there().remove(accountId, browser().id);
      assert.deepEqual(await here().list(accountId), [other]);
      await there().remove(accountId, other.id);
      assert.deepEqual(await here().list(accountId), []);
    });

    it('leave the list by themselves, each at its own time', async () => {
      const accountId = randomUUID();
      const [short, long] = [browser({ endsAt: now() + 200 }), browser()];
      await here().put(accountId, long);
      await here().put(accountId, short);
      const both = await there().list(accountId);
      // On a slow machine, the short one may have left before the list was read.
      if (now() < short.endsAt) assert.equal(both.length, 2);
      await eventually('one has left', async () => (await there().list(accountId)).length < 2);
      assert.deepEqual(await there().list(accountId), [long]);
      assert.ok(now() >= short.endsAt - 20);
    });

    it('stay on the list after their first end if a use has prolonged their time', async () => {
      const accountId = randomUUID();
      const firstEnd = await prolong(accountId);
      const account = randomUUID();
      const other = browser({ endsAt: firstEnd + 60 });
      await here().put(account, other);
      await eventually('it has left', async () => (await there().list(account)).length === 0);
      assert.equal((await there().list(accountId)).length, 1);
    });

    it('are at most a hundred: the least recently used one is removed and returned', async () => {
      const accountId = randomUUID();
      const first = now() - MINUTE_MS;
      const many = Array.from({ length: MOST_BROWSERS }, (_, number) => browser({ lastUsedAt: first + number }));
      for (const one of many) assert.deepEqual(await here().put(accountId, one), []);
      const [oldest, second] = many;
      if (oldest === undefined || second === undefined) throw new Error('the test has made fewer than two browsers');
      await there().used(accountId, oldest.id, { lastUsedAt: now(), endsAt: oldest.endsAt });
      // The new browser stays although its last use is older than that of all others.
      const added = browser({ lastUsedAt: first - MINUTE_MS });
      assert.deepEqual(await there().put(accountId, added), [second]);
      const ids = (await here().list(accountId)).map(({ id }) => id);
      assert.equal(ids.length, MOST_BROWSERS);
      assert.ok(ids.includes(oldest.id) && ids.includes(added.id) && !ids.includes(second.id));
    });

    it('are all kept if many are put on the list at once', async () => {
      const accountId = randomUUID();
      const many = Array.from({ length: 20 }, () => browser());
      await Promise.all(many.map((one, number) => (number % 2 === 0 ? here() : there()).put(accountId, one)));
      assert.deepEqual(byId(await here().list(accountId)), byId(many));
    });
  });
}
