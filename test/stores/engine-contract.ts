/** What every engine has to do: keep tickets, tell of them, keep notes, and lists of browsers. It runs on the real clock, as stores elsewhere do. */
import type { Engine } from '../../src/stores/engine.ts';
import { notesContract } from './notes-contract.ts';
import { GENEROUS, storesMayTake } from './patience.ts';
import { signalsContract } from './signals-contract.ts';
import { signedInBrowsersContract } from './signed-in-browsers-contract.ts';
import { ticketStoreContract } from './ticket-store-contract.ts';

/** The engines of two processes on one store; of one process, where the store serves no more. */
export interface Engines {
  /** Where the tests write. */
  readonly here: Engine;
  /** Where they read and hear. */
  readonly there: Engine;
  readonly close: () => Promise<void>;
}

/** @param start called once for all tests */
export function engineContract(name: string, start: () => Engines | Promise<Engines>): void {
  describe(name, () => {
    let engines: Engines | undefined;

    function started(): Engines {
      if (engines === undefined) throw new Error('not started');
      return engines;
    }

    storesMayTake(GENEROUS);

    before(async () => {
      engines = await start();
    });

    after(() => engines?.close());

    ticketStoreContract(started);
    signalsContract(started);
    notesContract(started);
    signedInBrowsersContract(started);
  });
}
