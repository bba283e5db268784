/** Reads a whole store, as a thief of a backup does, and finds every string in it that could be a credential. */
import type { Keyv } from 'keyv';
import type { RedisServer } from '../../support/redis.ts';

/**
 * Matches every credential of oidc-provider: the longest has 86 characters, and one of less than 16 could be guessed.
 */
const CREDENTIAL = /^[\w.~:-]{16,200}$/;
/** The commands that read a whole value, by the type of the key. */
const READ: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, '0', '-1'],
  list: (key) => ['LRANGE', key, '0', '-1'],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

/** The content of a store: the texts of each value by the name of its key. */
export type StoreCopy = ReadonlyMap<string, readonly string[]>;

export async function copyOfRedis(redis: RedisServer): Promise<StoreCopy> {
  const copy = new Map<string, string[]>();
  for (const key of textsIn(await redis.command('KEYS', '*'))) {
    const read = READ[`${await redis.command('TYPE', key)}`];
    if (read === undefined) throw new Error(`cannot read ${key}`);
    copy.set(key, textsIn(await redis.command(...read(key))));
  }
  return copy;
}

export async function copyOfKeyv(store: Keyv): Promise<StoreCopy> {
  const copy = new Map<string, string[]>();
  for await (const [key, value] of store.iterator?.(undefined) ?? []) copy.set(`${key}`, [JSON.stringify(value)]);
  return copy;
}

/** Returns the part of a copy whose keys have matching names. */
export function keysOf(copy: StoreCopy, which: (key: string) => boolean): StoreCopy {
  return new Map([...copy].filter(([key]) => which(key)));
}

/** Returns all strings in names and values: as they are, split, in JSON at any depth, and decoded from base64url. */
export function stringsIn(copy: StoreCopy): Set<string> {
  const found = new Set<string>();
  for (const [key, values] of copy) for (const text of [key, ...values]) collect(text, found);
  return new Set([...found].filter((text) => CREDENTIAL.test(text)));
}

function collect(text: string, found: Set<string>): void {
  if (found.has(text)) return;
  found.add(text);
  for (const leaf of leavesOf(text)) collect(leaf, found);
  for (const separators of [/[^\w.~-]+/, /[^\w~-]+/, /[:#]/]) {
    for (const part of text.split(separators)) collect(part, found);
  }
  const decoded = Buffer.from(text, 'base64url').toString('utf8');
  if (/^[\w-]{8,}$/.test(text) && /^[\x20-\x7e]+$/.test(decoded)) collect(decoded, found);
}

function leavesOf(text: string): string[] {
  try {
    return textsIn(JSON.parse(text));
  } catch {
    return [];
  }
}

/** Returns the strings and property names in a value, at any depth. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    Array.isArray(value) ? textsIn(member) : [name, ...textsIn(member)],
  );
}
