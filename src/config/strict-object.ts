import { inspect } from 'node:util';
import * as v from 'valibot';

/** Returns a value as a program would write it, on one line: a text has its quotation marks. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1 });
}

interface Messages {
  /** The kind of the names, for the message about an unknown name: `option`. */
  readonly kind: string;
  /** The message for a value that is no object. */
  readonly otherwise: (value: unknown) => string;
}

type ObjectOf<Entries extends v.ObjectEntries> = v.StrictObjectSchema<Entries, undefined>;

/**
 * Returns the schema of an object with these entries. It refuses all others, because an option with a misspelt name
 * would have no effect.
 */
export function strictObject<Entries extends v.ObjectEntries>(
  entries: Entries,
  { kind, otherwise }: Messages,
): v.GenericSchema<v.InferInput<ObjectOf<Entries>>, v.InferOutput<ObjectOf<Entries>>> {
  const known = Object.keys(entries).join(', ');
  return v.pipe(
    v.custom<v.InferInput<ObjectOf<Entries>>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      ({ input }) => otherwise(input),
    ),
    v.strictObject(
      entries,
      ({ input }) => `there is no ${kind} ${formatValue(input)}: remove it, or use one of ${known}`,
    ),
  );
}
