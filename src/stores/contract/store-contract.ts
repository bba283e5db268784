/**
 * The contract of every engine: it keeps tickets, signals their changes, and keeps notes and lists of browsers. The
 * tests run on the real clock, because a store outside of this process does too.
 */
import type { Engine } from '../../src/stores/engine.ts';
import { notesContract } from './notes-contract.ts';
import { GENEROUS, storesMayTake } from './patience.ts';
import { signalsContract } from './signals-contract.ts';
import { signedInBrowsersContract } from './signed-in-browsers-contract.ts';
import { ticketStoreContract } from './ticket-store-contract.ts';

/** The engines of two processes on one store. If the store serves one process only, both are the same engine. */
export interface Engines {
  /** The engine with which the tests write. */
  readonly here: Engine;
  /** The engine with which the tests read and listen. */
  readonly there: Engine;
  readonly close: () => Promise<void>;
}

/** Registers the tests. @param start called once for all tests */
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
