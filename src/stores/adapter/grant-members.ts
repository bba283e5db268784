import type { Values } from '../memory/values.ts';
import { GRANT_CLOSED_MS } from './records.ts';

/** The keys of records, each with its expiry time (milliseconds since the epoch; null: never). */
type Members = Readonly<Record<string, number | null>>;

/** A grant as it is stored. */
interface Grant {
  /** The latest members. */
  readonly members: Members;
  /** The earlier members are in parts of their own, with the numbers from `first` to the one before `next`. */
  readonly first: number;
  readonly next: number;
  /** The time at which the last of all members expires; null: never. */
  readonly ends: number | null;
  /** The time until which the grant is closed; 0 if it is not. */
  readonly closed: number;
}

/** The layout of earlier versions: all members in one value, and the time until which the grant is closed. */
type EarlierGrant = Members & { readonly closed?: number };

const NEW_GRANT: Grant = { members: {}, first: 0, next: 0, ends: 0, closed: 0 };

/**
 * The number of members in a part. A value that grows with the grant would be read and written anew for each token.
 */
const PART_SIZE = 16;
/** The most parts that are tidied up when one is added. */
const MOST_TIDIED = 4;

/**
 * The records of each grant, in values of a bounded size: adding a record takes as long for the first as for the
 * ten thousandth. All calls for one grant have to come one after the other.
 */
export class GrantMembers {
  readonly #values: Values;

  constructor(values: Values) {
    this.#values = values;
  }

  /** Adds a record to a grant. @param ttl in milliseconds @returns false if the grant is closed */
  async add(grantId: string, key: string, ttl: number | undefined): Promise<boolean> {
    const now = Date.now();
    const grant = await this.#read(grantId);
    if (grant.closed > now) return false;
    const until = ttl === undefined ? null : now + ttl;
    const members = { ...withoutExpired(grant.members, now), [key]: until };
    const grown = { ...grant, members, ends: laterOf(grant.ends, until) };
    if (sizeOf(members) < PART_SIZE) await this.#write(grantId, grown);
    else await this.#moveToParts(grantId, grown, now);
    return true;
  }

  /** Closes a grant: for {@link GRANT_CLOSED_MS}, no record can be added. */
  async close(grantId: string): Promise<void> {
    await this.#write(grantId, { ...(await this.#read(grantId)), closed: Date.now() + GRANT_CLOSED_MS });
  }

  /**
   * Takes all records out of a grant. A closed grant stays closed. A part is deleted only after its records, so that a
   * second call can finish an interrupted one.
   * @param remove deletes a record
   */
  async removeAll(grantId: string, remove: (key: string) => Promise<unknown>): Promise<void> {
    const { members, first, next, closed } = await this.#read(grantId);
    for (let number = first; number < next; number += 1) {
      await Promise.all(Object.keys(await this.#readPart(grantId, number)).map(remove));
      await this.#values.delete(partKey(grantId, number));
    }
    await Promise.all(Object.keys(members).map(remove));
    if (closed > Date.now()) await this.#write(grantId, { ...NEW_GRANT, closed });
    else await this.#values.delete(grantKey(grantId));
  }

  /**
   * Moves the members of a grant to parts, and tidies up the oldest parts. Members that have expired are left out. A
   * part that is then empty is dropped. The members of a part that is at most half full become the latest members of
   * the grant again. Any other part is written again as the last one. So the number of parts does not grow far beyond
   * what the live members need.
   */
  async #moveToParts(grantId: string, grant: Grant, now: number): Promise<void> {
    let { first, next } = grant;
    for (const part of partsOf(grant.members)) {
      await this.#writePart(grantId, next, part);
      next += 1;
    }
    const tidied: number[] = [];
    let members: Members = {};
    while (tidied.length < MOST_TIDIED && first < grant.next && sizeOf(members) === 0) {
      const rest = withoutExpired(await this.#readPart(grantId, first), now);
      tidied.push(first);
      first += 1;
      if (sizeOf(rest) <= PART_SIZE / 2) {
        members = rest;
        continue;
      }
      await this.#writePart(grantId, next, rest);
      next += 1;
      break;
    }
    await this.#write(grantId, { ...grant, members, first, next });
    // Delete these parts last, because until here the grant referred to them.
    await Promise.all(tidied.map((number) => this.#values.delete(partKey(grantId, number))));
  }

  async #read(grantId: string): Promise<Grant> {
    const stored = await this.#values.get<Grant | EarlierGrant>(grantKey(grantId));
    if (stored === undefined) return NEW_GRANT;
    return isEarlier(stored) ? fromEarlier(stored) : stored;
  }

  async #write(grantId: string, grant: Grant): Promise<void> {
    await this.#set(grantKey(grantId), grant, laterOf(grant.ends, grant.closed));
  }

  async #readPart(grantId: string, number: number): Promise<Members> {
    return (await this.#values.get<Members>(partKey(grantId, number))) ?? {};
  }

  async #writePart(grantId: string, number: number, members: Members): Promise<void> {
    await this.#set(partKey(grantId, number), members, Object.values(members).reduce(laterOf, 0));
  }

  async #set(key: string, value: unknown, until: number | null): Promise<void> {
    // Keyv takes a time to live of 0 as "never expires".
    await this.#values.set(key, value, until === null ? undefined : Math.max(1, until - Date.now()));
  }
}

function withoutExpired(members: Members, now: number): Members {
  return Object.fromEntries(Object.entries(members).filter(([, until]) => until === null || until > now));
}

function sizeOf(members: Members): number {
  return Object.keys(members).length;
}

/** Returns the later one of two times; null is never. */
function laterOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.max(one, other);
}

function partsOf(members: Members): Members[] {
  const all = Object.entries(members);
  const count = Math.ceil(all.length / PART_SIZE);
  return Array.from({ length: count }, (_, part) =>
    Object.fromEntries(all.slice(part * PART_SIZE, (part + 1) * PART_SIZE)),
  );
}

/**
 * Returns true for the layout of earlier versions, whose keys are the names of records. Each of those names has a hash
 * sign or a colon, so none is `members`.
 */
function isEarlier(stored: Grant | EarlierGrant): stored is EarlierGrant {
  return !('members' in stored);
}

function fromEarlier({ closed = 0, ...members }: EarlierGrant): Grant {
  return { ...NEW_GRANT, members, ends: Object.values(members).reduce(laterOf, 0), closed };
}

function grantKey(grantId: string): string {
  return `grant:${grantId}`;
}

function partKey(grantId: string, number: number): string {
  return `members:${number}:${grantId}`;
}
