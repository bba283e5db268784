/** What an engine's notes have to do: what one process writes, all of them have, until its time is over. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Notes } from '../../src/ticket/ports.ts';
import { eventually } from '../support/until.ts';
import type { Engines } from './engine-contract.ts';

/** In milliseconds. */
const A_MINUTE = 60_000;
const SHORT = 60;

export function notesContract(engines: () => Engines): void {
  const here = (): Notes => engines().here.notes;
  const there = (): Notes => engines().there.notes;

  function gone(name: string): Promise<void> {
    return eventually('is gone', async () => (await there().read(name)) === undefined);
  }

  describe('notes', () => {
    it('are there once they are written, and no others are', async () => {
      const [written, other] = [randomUUID(), randomUUID()];
      expect(await there().read(written)).to.equal(undefined);
      await here().write(written, A_MINUTE);
      expect(await here().read(written)).to.be.a('string');
      expect(await there().read(written)).to.be.a('string');
      expect(await there().read(other)).to.equal(undefined);
    });

    it('hold what was written last', async () => {
      const name = randomUUID();
      await here().write(name, A_MINUTE, 'first');
      expect(await there().read(name)).to.equal('first');
      await there().write(name, A_MINUTE, 'second');
      expect(await here().read(name)).to.equal('second');
    });

    it('vanish by themselves', async () => {
      const name = randomUUID();
      await here().write(name, SHORT);
      await gone(name);
    });

    it('last longer where they are written again', async () => {
      const name = randomUUID();
      await here().write(name, SHORT);
      await there().write(name, A_MINUTE);
      const later = randomUUID();
      await here().write(later, SHORT);
      await gone(later);
      expect(await here().read(name)).to.be.a('string');
    });
  });
}
