import type { StoreEngine } from '../store-engine.ts';
import { browserListsContract } from './browser-lists.ts';
import { notesContract } from './notes.ts';
import { pendingRequestsContract } from './pending-requests.ts';
import { rateLimitContract } from './rate-limits.ts';
import { signalsContract } from './signals.ts';
import type { TestRunner } from './test-runner.ts';
import { ticketStoreContract } from './ticket-store.ts';

/** The engines of two processes on one store. If the store serves one process only, both are the same engine. */
export interface EnginePair {
  /** The engine with which the tests write. */
  readonly here: StoreEngine;
  /** The engine with which the tests read and listen. */
  readonly there: StoreEngine;
  /**
   * Makes the store refuse all writes, as a full or read-only store does, and returns a function that ends this.
   * Without this function, the contract does not test that a ping notices a store that takes no writes.
   */
  readonly refuseWrites?: () => Promise<() => Promise<void>>;
  /** Called once, after all tests. It closes both engines. */
  readonly close: () => Promise<void>;
}

/**
 * Registers the tests that every store must pass: tickets, signals, notes, lists of browsers, pending requests and rate
 * limits. The clock of the tests is `Date.now()`, because a store outside of this process goes by the real time. The
 * engines must use `Date.now()` as well.
 *
 * @param runner the functions of your test runner: `import { after, before, describe, it } from 'node:test'`, or
 *   Mocha's
 * @param name the title of the suite
 * @param start makes the engines; called once, before all tests
 *
 * @example
 * storeContract({ describe, it, before, after }, 'my store', async () => {
 *   const [here, there] = [makeMyStore(Date.now, callbacks), makeMyStore(Date.now, callbacks)];
 *   return { here, there, close: async () => { await Promise.all([here.close(), there.close()]); } };
 * });
 */
export function storeContract(runner: TestRunner, name: string, start: () => EnginePair | Promise<EnginePair>): void {
  const { describe, before, after } = runner;
  describe(name, () => {
    let engines: EnginePair | undefined;

    function requireEngines(): EnginePair {
      if (engines === undefined) throw new Error('the engines did not start');
      return engines;
    }

    before(async () => {
      engines = await start();
    });

    after(async () => engines?.close());

    ticketStoreContract(runner, requireEngines);
    signalsContract(runner, requireEngines);
    notesContract(runner, requireEngines);
    browserListsContract(runner, requireEngines);
    pendingRequestsContract(runner, requireEngines);
    rateLimitContract(runner, requireEngines);
  });
}
