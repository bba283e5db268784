import { expect } from 'chai';
import { Keyv } from 'keyv';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import { Pace } from '../../../src/ticket/requests/pace.ts';

const NOW = Date.now();
const MINUTE_MS = 60_000;
const DESK = { accountId: 'a11ce', sender: 'client:desk' };

describe('the pace of a sender', () => {
  let pace: Pace;

  beforeEach(() => {
    pace = new Pace(new KeyvNotes(new Keyv()));
  });

  /** Sends this many requests, each of which expires at once. @returns the minutes until the next one is allowed */
  async function waitAfter(requests: number): Promise<number> {
    for (let at = 0; at < requests; at++) await pace.noteAsked(DESK, NOW, NOW);
    for (let minutes = 0; ; minutes++) if (!(await pace.isTooSoon(DESK, NOW + minutes * MINUTE_MS))) return minutes;
  }

  it('is free at first, and slows down with each request that is not approved, up to an hour', async () => {
    for (const [requests, minutes] of [
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 5],
      [4, 15],
      [5, 60],
      [9, 60],
    ] as const) {
      pace = new Pace(new KeyvNotes(new Keyv()));
      expect(await waitAfter(requests), `${requests}`).to.equal(minutes);
    }
  });

  it('allows no other request while one is waiting for the user', async () => {
    await pace.noteAsked(DESK, NOW + MINUTE_MS, NOW);
    expect(await pace.isTooSoon(DESK, NOW + MINUTE_MS - 1)).to.equal(true);
    expect(await pace.isTooSoon(DESK, NOW + MINUTE_MS)).to.equal(false);
  });

  it('is free again after an approval, and counts the wait from a denial on', async () => {
    await waitAfter(3);
    await pace.noteAnswered(DESK, true, NOW);
    expect(await waitAfter(1)).to.equal(0);
    await pace.noteAsked(DESK, NOW + 10 * MINUTE_MS, NOW);
    await pace.noteAnswered(DESK, false, NOW);
    expect(await pace.isTooSoon(DESK, NOW + MINUTE_MS - 1)).to.equal(true);
    expect(await pace.isTooSoon(DESK, NOW + MINUTE_MS)).to.equal(false);
  });

  it('is separate for each sender and for each account', async () => {
    await waitAfter(5);
    expect(await pace.isTooSoon({ ...DESK, sender: 'client:till' }, NOW)).to.equal(false);
    expect(await pace.isTooSoon({ ...DESK, accountId: 'b0b' }, NOW)).to.equal(false);
    const joined = { accountId: 'a11ce","client', sender: 'desk' };
    expect(await pace.isTooSoon(joined, NOW)).to.equal(false);
  });
});
