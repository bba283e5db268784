/** The contract of an engine's notes: all processes can read what one has written, until it expires. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Notes } from '../../src/ticket/ports.ts';
import { eventually } from '../support/until.ts';
import type { Engines } from './engine-contract.ts';

const MINUTE_MS = 60_000;
const SHORT_MS = 60;

export function notesContract(engines: () => Engines): void {
  const here = (): Notes => engines().here.notes;
  const there = (): Notes => engines().there.notes;

  function gone(name: string): Promise<void> {
    return eventually('is gone', async () => (await there().read(name)) === undefined);
  }

  describe('notes', () => {
    it('can be read after they were written, and no others can', async () => {
      const [written, other] = [randomUUID(), randomUUID()];
      expect(await there().read(written)).to.equal(undefined);
      await here().write(written, MINUTE_MS);
      expect(await here().read(written)).to.be.a('string');
      expect(await there().read(written)).to.be.a('string');
      expect(await there().read(other)).to.equal(undefined);
    });

    it('hold the value that was written last', async () => {
      const name = randomUUID();
      await here().write(name, MINUTE_MS, 'first');
      expect(await there().read(name)).to.equal('first');
      await there().write(name, MINUTE_MS, 'second');
      expect(await here().read(name)).to.equal('second');
    });

    it('expire by themselves', async () => {
      const name = randomUUID();
      await here().write(name, SHORT_MS);
      await gone(name);
    });

    it('last longer if they are written again', async () => {
      const name = randomUUID();
      await here().write(name, SHORT_MS);
      await there().write(name, MINUTE_MS);
      const later = randomUUID();
      await here().write(later, SHORT_MS);
      await gone(later);
      expect(await here().read(name)).to.be.a('string');
    });
  });
}
