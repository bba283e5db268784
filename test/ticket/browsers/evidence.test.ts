import { expect } from 'chai';
import { Keyv } from 'keyv';
import { KeyvBrowserList } from '../../../src/stores/memory/browser-list.ts';
import { evidenceHolds } from '../../../src/ticket/browsers/evidence.ts';
import type { KnownBrowser } from '../../../src/ticket/browsers/known-browser.ts';
import { approved, NOW } from '../builders.ts';

const SOURCE = '192.0.2.1';

describe('the evidence that makes a check code unnecessary', () => {
  const known = new KeyvBrowserList<KnownBrowser>(new Keyv(), 'known', () => NOW);
  const trusted = approved({ knownBy: 'cookie' });

  before(async () => {
    const times = { trustedAt: NOW, lastUsedAt: NOW, endsAt: NOW + 60_000 };
    await known.put('alice', { id: 'mine', sessionUid: 'session', ...times });
    await known.put('bob', { id: 'of bob', sessionUid: 'session', ...times });
  });

  it('of a known browser is valid as long as the account trusts it, at any address', async () => {
    expect(await evidenceHolds(known, trusted, { source: SOURCE, knownAs: 'mine' })).to.equal(true);
    expect(await evidenceHolds(known, trusted, { source: '198.51.100.7', knownAs: 'mine' })).to.equal(true);
  });

  it('of a known browser is missing without its cookie, and for another account', async () => {
    for (const knownAs of [undefined, 'of bob', 'forgotten']) {
      expect(await evidenceHolds(known, trusted, { source: SOURCE, knownAs })).to.equal(false);
    }
  });

  it('of any other browser is valid at the address at which it showed the code', async () => {
    expect(await evidenceHolds(known, approved(), { source: SOURCE, knownAs: undefined })).to.equal(true);
    expect(await evidenceHolds(known, approved(), { source: '198.51.100.7', knownAs: 'mine' })).to.equal(false);
  });
});
