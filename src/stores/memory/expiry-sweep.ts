import type { Keyv } from 'keyv';
import { plainMapOf, prefixOf } from './in-memory.ts';

/** How often a part of a Map is looked at, and within which time all of it; in milliseconds. */
const TICK = 500;
const ROUND = 20_000;

/** How the time begins that a value is written down with. */
const EXPIRES = ',"expires":';

/**
 * Keyv's in-memory Map keeps what has expired until somebody reads it. This goes round the Map, a little at a time, and drops that:
 * memory is bounded by what is alive, and no key need be remembered. Other backends expire by themselves and are left alone.
 * @returns the function that ends it
 */
export function sweepExpired(keyv: Keyv): () => void {
  const map: unknown = keyv.store;
  if (!(map instanceof Map)) return () => undefined;
  const timer = setInterval(walk(map, plainMapOf(keyv) === undefined ? readerOf(keyv) : dropperOf(map)), TICK).unref();
  return () => clearInterval(timer);
}

type Look = (key: string, stored: unknown) => void;

/** @returns what looks at the next part of the Map */
function walk(map: Map<string, unknown>, look: Look): () => void {
  let rest = map.entries();
  let share = 0;
  return () => {
    // What is dropped makes the Map smaller, but the round no slower.
    share = Math.max(share, Math.ceil((map.size * TICK) / ROUND));
    for (let left = share; left > 0; left--) {
      const { done, value } = rest.next();
      if (done) {
        rest = map.entries();
        share = 0;
        return;
      }
      look(...value);
    }
  };
}

/** The time is the last thing that Keyv writes down. */
function dropperOf(map: Map<string, unknown>): Look {
  return (key, stored) => {
    if (typeof stored !== 'string') return;
    const at = stored.lastIndexOf(EXPIRES);
    if (at >= 0 && Number(stored.slice(at + EXPIRES.length, -1)) < Date.now()) map.delete(key);
  };
}

/** What a deployment writes down in its own way is read, which is all it takes. */
function readerOf(keyv: Keyv): Look {
  const prefix = prefixOf(keyv);
  return (key) => {
    // What cannot be read is told to whoever needs it.
    if (key.startsWith(prefix)) keyv.get(key.slice(prefix.length)).catch(() => undefined);
  };
}
