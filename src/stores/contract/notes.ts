/** The contract of an engine's notes: all processes can read what one has written, until it expires. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Notes } from '../../ticket/ports.ts';
import { eventually } from './eventually.ts';
import type { EnginePair } from './store-contract.ts';
import type { TestRunner } from './test-runner.ts';

const MINUTE_MS = 60_000;
const SHORT_MS = 60;

export function notesContract({ describe, it }: TestRunner, engines: () => EnginePair): void {
  const here = (): Notes => engines().here.notes;
  const there = (): Notes => engines().there.notes;

  function untilGone(name: string): Promise<void> {
    return eventually('is gone', async () => (await there().read(name)) === undefined);
  }

  describe('notes', () => {
    it('can be read after they were written, and no others can', async () => {
      const [written, other] = [randomUUID(), randomUUID()];
      assert.equal(await there().read(written), undefined);
      await here().write(written, MINUTE_MS);
      assert.equal(typeof (await here().read(written)), 'string');
      assert.equal(typeof (await there().read(written)), 'string');
      assert.equal(await there().read(other), undefined);
    });

    it('hold the value that was written last', async () => {
      const name = randomUUID();
      await here().write(name, MINUTE_MS, 'first');
      assert.equal(await there().read(name), 'first');
      await there().write(name, MINUTE_MS, 'second');
      assert.equal(await here().read(name), 'second');
    });

    it('can be claimed once, also if all processes try at once, until the claim expires', async () => {
      const name = randomUUID();
      const tries = Array.from({ length: 20 }, (_, index) => (index % 2 ? here() : there()).claim(name, MINUTE_MS));
      assert.equal((await Promise.all(tries)).filter(Boolean).length, 1);
      assert.equal(await there().claim(name, MINUTE_MS), false);
      assert.equal(typeof (await here().read(name)), 'string');
      const short = randomUUID();
      assert.equal(await here().claim(short, SHORT_MS), true);
      await eventually('can be claimed again', () => there().claim(short, MINUTE_MS));
    });

    it('expire by themselves', async () => {
      const name = randomUUID();
      await here().write(name, SHORT_MS);
      await untilGone(name);
    });

    it('last longer if they are written again', async () => {
      const name = randomUUID();
      await here().write(name, SHORT_MS);
      await there().write(name, MINUTE_MS);
      const later = randomUUID();
      await here().write(later, SHORT_MS);
      await untilGone(later);
      assert.equal(typeof (await here().read(name)), 'string');
    });
  });
}
