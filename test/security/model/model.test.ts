import { expect } from 'chai';
import fc from 'fast-check';
import { Keyv } from 'keyv';
import { LocalSignals } from '../../../src/stores/local-signals.ts';
import { KeyvTicketStore } from '../../../src/stores/memory/ticket-store.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { patience, runs, SEED } from '../fuzz/runs.ts';
import { START } from './acts.ts';
import { faults } from './faults.ts';
import { racesOn, walksOn } from './properties.ts';
import type { Stores } from './scene.ts';

/** A store in this process. Its records do not expire, because the walks have their own clock. */
function memory(): Stores {
  const signals = new LocalSignals();
  const store = new KeyvTicketStore(new Keyv(), () => START, signals);
  return { store, signals };
}

describe('the model of the ceremony', function () {
  this.timeout(patience());

  it('predicts every walk of two browsers and three phones, with every act, state, end and refusal', async () => {
    const tally = new Map<string, number>();
    await fc.assert(walksOn(memory, { tally }), { ...runs({ short: 120, full: 700 }), seed: SEED });
    expect([...tally.keys()]).to.include.members([
      ...['show', 'renew', 'watch', 'finish', 'sign in here', 'cancel', 'is reported'].map((act) => `does: ${act}`),
      ...['scan', 'approve', 'open', 'deny', 'report', 'give up'].map((act) => `does: ${act}`),
      ...['wait', 'wait for the end', 'sign in again'].map((act) => `does: ${act}`),
      ...['waiting', 'scanned', 'approved', 'redeemed', 'redeemed, as before'],
      ...['person', 'risk', 'blocked', 'freshness', 'acr'].map((because) => `denied (${because})`),
      ...['cancelled (browser)', 'denied (report), as before'],
      ...['not_found', 'over', 'wrong_state', 'wrong_account', 'sign_in_again', 'insufficient_acr', 'invalid_request'],
      ...['check_code_required', 'wrong_check_code', 'account_switch', 'account_unavailable'],
    ]);
  });

  inFullSuite(() => {
    it('predicts different walks in each run', async () => {
      await fc.assert(walksOn(memory), runs({ short: 0, full: 1_000 }));
    });
  });

  it('explains the result of every race by an order of its acts', async () => {
    await fc.assert(racesOn(memory), runs({ short: 120, full: 3_000 }));
  });

  it('finds no broken rule in races while time passes', async () => {
    await fc.assert(racesOn(memory, { timePasses: true }), runs({ short: 80, full: 2_000 }));
  });
});

inFullSuite(() => {
  describe('the walks and races find the fault of a store or a step', function () {
    this.timeout(patience());

    for (const { name, around, changeStores: ground = (same: Stores): Stores => same, patch, in: way } of faults) {
      it(name, async () => {
        const undo = patch?.() ?? (() => undefined);
        const grounds = (): Stores => ground(memory());
        try {
          const property = way === 'race' ? racesOn(grounds, { around }) : walksOn(grounds, { around });
          const found = await fc.check(property, { numRuns: 3_000, endOnFailure: true });
          expect(found.failed, 'nothing was found').to.equal(true);
          expect(found.errorInstance, 'what was found').to.be.an('error').with.property('name', 'AssertionError');
        } finally {
          undo();
        }
      });
    }
  });
});
