import type { Keyv } from 'keyv';
import type { Clock } from '../ticket/ports.ts';
import type { BackgroundCallbacks, Engine, MakeEngine } from './engine.ts';
import { makeKeyvEngine } from './memory/engine.ts';
import { makeRedisEngine } from './redis/engine.ts';

/**
 * The engines that recognise their own kind of Keyv; `makeKeyvEngine` serves all others. A new engine is a folder and a
 * line here. `adapter/keyv-adapter.ts` chooses the records of the oidc-provider adapter.
 */
const ENGINES: readonly MakeEngine[] = [makeRedisEngine];

/** Returns the engine for the deployment's Keyv. */
export function chooseEngine(keyv: Keyv, clock: Clock, callbacks: BackgroundCallbacks): Engine {
  for (const make of ENGINES) {
    const engine = make(keyv, clock, callbacks);
    if (engine !== undefined) return engine;
  }
  return makeKeyvEngine(keyv, clock);
}
