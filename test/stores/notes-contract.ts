/** What an engine's notes have to do: what one process writes, all of them have, until its time is over. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { Notes } from '../../src/ticket/ports.ts';
import type { Engines } from './engine-contract.ts';

const A_MINUTE = 60_000;

export function notesContract(engines: () => Engines): void {
  const here = (): Notes => engines().here.notes;
  const there = (): Notes => engines().there.notes;

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
      await here().write(name, 300);
      expect(await there().read(name)).to.be.a('string');
      await pause(350);
      expect(await there().read(name)).to.equal(undefined);
    });

    it('last longer where they are written again', async () => {
      const name = randomUUID();
      await here().write(name, 300);
      await there().write(name, A_MINUTE);
      await pause(350);
      expect(await here().read(name)).to.be.a('string');
    });
  });
}
