import type { Keyv } from 'keyv';
import type { Clock } from '../ticket/ports.ts';
import { makeKeyvEngine } from './memory/engine.ts';
import { refuseNewerRecords } from './newer-records.ts';
import { guardEngine } from './own-engine.ts';
import { makeRedisEngine } from './redis/engine.ts';
import type { BackgroundCallbacks, MakeKeyvEngine, MakeStoreEngine, StoreEngine } from './store-engine.ts';

/**
 * The engines that recognise their own kind of Keyv; `makeKeyvEngine` serves all others. To add an engine, add a folder
 * and a line here. `adapter/keyv-adapter.ts` makes this choice separately for the oidc-provider adapter (`RedisRecords` or
 * `KeyvRecords`).
 */
const ENGINES: readonly MakeKeyvEngine[] = [makeRedisEngine];

/** Returns the engine for the deployment's Keyv, or the engine that the deployment makes itself. */
export function chooseEngine(store: Keyv | MakeStoreEngine, clock: Clock, callbacks: BackgroundCallbacks): StoreEngine {
  return refuseNewerRecords(makeEngine(store, clock, callbacks));
}

function makeEngine(store: Keyv | MakeStoreEngine, clock: Clock, callbacks: BackgroundCallbacks): StoreEngine {
  if (typeof store === 'function') return guardEngine(store(clock, callbacks), callbacks);
  for (const make of ENGINES) {
    const engine = make(store, clock, callbacks);
    if (engine !== undefined) return engine;
  }
  return makeKeyvEngine(store, clock);
}
