/** The contract of an engine's lists of browsers: all processes can read what one has written, until a session ends. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  browserId,
  MOST_BROWSERS,
  type SignedInBrowser,
  type SignedInBrowsers,
} from '../../src/ticket/signed-in-browser.ts';
import { until } from '../support/until.ts';
import type { Engines } from './engine-contract.ts';

const MINUTE_MS = 60_000;

export function signedInBrowsersContract(engines: () => Engines): void {
  const here = (): SignedInBrowsers => engines().here.browsers;
  const there = (): SignedInBrowsers => engines().there.browsers;
  const now = (): number => Math.round(engines().here.clock());

  const browser = (more: Partial<SignedInBrowser> = {}): SignedInBrowser => {
    const sessionUid = randomUUID();
    return {
      id: browserId(sessionUid),
      sessionUid,
      name: 'Chrome',
      system: 'Windows',
      place: { country: 'DE', city: 'Berlin\n7 8' },
      signedInAt: now(),
      lastUsedAt: now(),
      endsAt: now() + MINUTE_MS,
      ...more,
    };
  };
  const byId = (list: readonly SignedInBrowser[]): SignedInBrowser[] =>
    [...list].sort((one, other) => one.id.localeCompare(other.id));

  /**
   * Puts a browser on the list whose session ends soon, and prolongs the session. Repeats that with more time if the
   * machine was too slow. @returns the end of the session before it was prolonged
   */
  async function prolong(accountId: string): Promise<number> {
    for (let life = 100; ; life *= 4) {
      const one = browser({ endsAt: now() + life });
      await here().put(accountId, one);
      const use = { lastUsedAt: now(), endsAt: now() + MINUTE_MS };
      if (await here().used(accountId, one.id, use)) return one.endsAt;
    }
  }

  describe('browsers', () => {
    let accountId: string;

    beforeEach(() => {
      accountId = randomUUID();
    });

    it('are on the list of their account after they were put there, and on no other list', async () => {
      expect(await there().list(accountId)).to.deep.equal([]);
      const { name: _name, system: _system, place: _place, ...plain } = browser();
      const both = [browser(), plain];
      for (const one of both) expect(await here().put(accountId, one)).to.deep.equal([]);
      expect(byId(await there().list(accountId))).to.deep.equal(byId(both));
      expect(await there().list(randomUUID())).to.deep.equal([]);
    });

    it('replace a browser with the same id', async () => {
      const first = browser();
      const second = { ...first, system: 'Linux', signedInAt: first.signedInAt + 5 };
      await here().put(accountId, first);
      expect(await there().put(accountId, second)).to.deep.equal([]);
      expect(await here().list(accountId)).to.deep.equal([second]);
    });

    it('are updated by a use if they are on the list, and not added by it if they are not', async () => {
      const one = browser();
      const use = { lastUsedAt: now() + 5, endsAt: now() + 2 * MINUTE_MS };
      expect(await here().used(accountId, one.id, use)).to.equal(false);
      expect(await there().list(accountId)).to.deep.equal([]);
      await here().put(accountId, one);
      expect(await there().used(accountId, one.id, use)).to.equal(true);
      expect(await there().used(accountId, browser().id, use)).to.equal(false);
      expect(await here().list(accountId)).to.deep.equal([{ ...one, ...use }]);
    });

    it('are removed one by one', async () => {
      const [one, other] = [browser(), browser()];
      await here().put(accountId, one);
      await here().put(accountId, other);
      await there().remove(accountId, one.id);
      await there().remove(accountId, browser().id);
      expect(await here().list(accountId)).to.deep.equal([other]);
      await there().remove(accountId, other.id);
      expect(await here().list(accountId)).to.deep.equal([]);
    });

    it('leave the list when their session ends by itself, each at its own time', async () => {
      const [short, long] = [browser({ endsAt: now() + 200 }), browser()];
      await here().put(accountId, long);
      await here().put(accountId, short);
      const both = await there().list(accountId);
      // On a slow machine, the session may have ended before the list was read.
      if (now() < short.endsAt) expect(both).to.have.length(2);
      await until(async () => (await there().list(accountId)).length < 2);
      expect(await there().list(accountId)).to.deep.equal([long]);
      expect(now()).to.be.at.least(short.endsAt - 20);
    });

    it('stay on the list until the end of a session that was prolonged by a use', async () => {
      const firstEnd = await prolong(accountId);
      const account = randomUUID();
      const other = browser({ endsAt: firstEnd + 60 });
      await here().put(account, other);
      await until(async () => (await there().list(account)).length === 0);
      expect(await there().list(accountId)).to.have.length(1);
    });

    it('are at most a hundred: the least recently used one is removed and returned', async () => {
      const first = now() - MINUTE_MS;
      const many = Array.from({ length: MOST_BROWSERS }, (_, number) => browser({ lastUsedAt: first + number }));
      for (const one of many) expect(await here().put(accountId, one)).to.deep.equal([]);
      const [oldest, second] = many;
      if (oldest === undefined || second === undefined) throw new Error('there are a hundred');
      await there().used(accountId, oldest.id, { lastUsedAt: now(), endsAt: oldest.endsAt });
      // The new browser stays although its last use is older than that of all others.
      const added = browser({ lastUsedAt: first - MINUTE_MS });
      expect(await there().put(accountId, added)).to.deep.equal([second]);
      const ids = (await here().list(accountId)).map(({ id }) => id);
      expect(ids).to.have.length(MOST_BROWSERS);
      expect(ids).to.include.members([oldest.id, added.id]).and.not.to.include(second.id);
    });

    it('are all kept if many are put there at once', async () => {
      const many = Array.from({ length: 20 }, () => browser());
      await Promise.all(many.map((one, number) => (number % 2 === 0 ? here() : there()).put(accountId, one)));
      expect(byId(await here().list(accountId))).to.deep.equal(byId(many));
    });
  });
}
