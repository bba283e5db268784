import { expect } from 'chai';
import fc from 'fast-check';
import { GENEROUS, storesMayTake } from '../../stores/patience.ts';
import { type RedisProcess, startProcess } from '../../stores/redis/redis-process.ts';
import { inFullSuite } from '../../support/full-suite.ts';
import { RedisServer } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { patience, runs } from '../fuzz/runs.ts';
import { START } from './acts.ts';
import { racesOn, walksOn } from './properties.ts';
import type { Scene, Stores } from './scene.ts';
import { Reckless } from './stores.ts';

describe('the model of the ceremony, on a real Redis', function () {
  this.timeout(patience());
  storesMayTake(GENEROUS);

  let redis: RedisServer;
  let browsers: RedisProcess;
  let phones: RedisProcess;

  before(async () => {
    redis = await RedisServer.start();
    // Records do not expire, because the walks have their own clock.
    [browsers, phones] = await Promise.all([startProcess(redis.url, now), startProcess(redis.url, now)]);
  });

  after(async () => {
    await Promise.all([browsers?.close(), phones?.close()]);
    await redis?.stop();
  });

  const now = (): number => START;

  /** The browsers are in one process and the phones in another one, and both receive all signals. */
  const grounds = (): Stores => ({ store: browsers.store, signals: phones.signals, phoneStore: phones.store });

  const hearing = (scene: Scene): Promise<void> => until(() => scene.heard.flat().length >= scene.writes.length);

  it('predicts every walk of two browsers and three phones', async () => {
    await fc.assert(walksOn(grounds, { waitForSignals: hearing }), runs({ short: 10, full: 200 }));
  });

  it('explains the result of every race by an order of its acts', async () => {
    await fc.assert(racesOn(grounds, { waitForSignals: hearing }), runs({ short: 40, full: 600 }));
  });

  it('finds no broken rule in races while time passes', async () => {
    await fc.assert(racesOn(grounds, { waitForSignals: hearing, timePasses: true }), runs({ short: 25, full: 400 }));
  });

  inFullSuite(() => {
    it('finds the fault of a store that lets every swap win', async () => {
      const around = (store: Stores['store']): Stores['store'] => new Reckless(store);
      const found = await fc.check(racesOn(grounds, { around }), { numRuns: 3_000, endOnFailure: true });
      expect(found.failed).to.equal(true);
      expect(found.errorInstance).to.be.an('error').with.property('name', 'AssertionError');
    });
  });
});
