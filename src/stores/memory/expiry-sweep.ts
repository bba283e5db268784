import type { Keyv } from 'keyv';
import { mapOf, plainMapOf, prefixOf, textOf } from './in-memory.ts';

/** The time between two steps of the sweep. */
const TICK_MS = 500;
/** The time in which the sweep visits the whole Map. */
const ROUND_MS = 20_000;

/** The start of the expiry time in the JSON of a value. */
const EXPIRES = ',"expires":';

/**
 * Removes expired values from the Map of an in-memory Keyv, which itself drops a value only when it is read. The
 * sweep visits a part of the Map at a time, so memory is bounded by the live values and no list of keys is needed. It
 * does nothing for other backends, which expire values by themselves.
 * @returns the function that stops the sweep
 */
export function sweepExpired(keyv: Keyv): () => void {
  const map = mapOf(keyv);
  if (map === undefined) return () => undefined;
  const timer = setInterval(
    walk(map, plainMapOf(keyv) === undefined ? readerOf(keyv) : dropperOf(map)),
    TICK_MS,
  ).unref();
  return () => clearInterval(timer);
}

type EntryVisitor = (key: string, stored: unknown) => void;

/** @returns a function that visits the next part of the Map on each call */
function walk(map: Map<string, unknown>, visit: EntryVisitor): () => void {
  let rest = map.entries();
  let share = 0;
  return () => {
    // Keep the largest share of this round: the Map shrinks while it is swept, and that must not slow the round down.
    share = Math.max(share, Math.ceil((map.size * TICK_MS) / ROUND_MS));
    for (let left = share; left > 0; left--) {
      const { done, value } = rest.next();
      if (done) {
        rest = map.entries();
        share = 0;
        return;
      }
      visit(...value);
    }
  };
}

/**
 * Returns a visitor that drops expired values without parsing them: Keyv writes the expiry time at the end of the JSON.
 */
function dropperOf(map: Map<string, unknown>): EntryVisitor {
  return (key, stored) => {
    const text = textOf(stored);
    if (text === undefined) return;
    const at = text.lastIndexOf(EXPIRES);
    if (at >= 0 && Number(text.slice(at + EXPIRES.length, -1)) < Date.now()) map.delete(key);
  };
}

/** Returns a visitor for values with a custom serializer. It reads each value, and Keyv drops expired ones. */
function readerOf(keyv: Keyv): EntryVisitor {
  const prefix = prefixOf(keyv);
  return (key) => {
    // A value that cannot be read is reported to the request that needs it.
    if (key.startsWith(prefix)) keyv.get(key.slice(prefix.length)).catch(() => undefined);
  };
}
