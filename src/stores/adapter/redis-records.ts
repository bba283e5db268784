import type { AdapterPayload } from 'oidc-provider';
import type { RedisLink } from '../redis/link.ts';
import {
  CONSUME_RECORD,
  DELETE_IF,
  IN_GRANT,
  JOIN_GRANT,
  LEAVE_GRANT,
  MARK_REVOKED,
  POINT,
  PUT_RECORD,
  type Script,
  TAKE_RECORD,
} from '../redis/scripts.ts';
import type { Records } from './records.ts';

/** How many of a grant's records are deleted at a time. */
const AT_ONCE = 500;

/**
 * Records in Redis, for any number of processes. A record, its grant and the ways to it lie in slots of their own, as nothing
 * but its id is known when it is looked for; so each step is one script on one key, in an order that survives a crash in between.
 */
export class RedisRecords implements Records {
  readonly #link: RedisLink;
  readonly #prefix: string;

  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = `${prefix}oidc:`;
  }

  async put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void> {
    // The grant first: a record that its grant does not know would survive the grant's revocation.
    if (grantId !== undefined) await this.#run(JOIN_GRANT, grantKey(grantId), key, milliseconds(ttl));
    const { consumed } = payload;
    const values = [JSON.stringify(payload), milliseconds(ttl), ...(consumed === undefined ? [] : [`${consumed}`])];
    await this.#run(PUT_RECORD, key, ...values);
    if (grantId === undefined || (await this.#run(IN_GRANT, grantKey(grantId), key)) === 1) return;
    // Revoked between the two.
    await this.#run(TAKE_RECORD, key);
  }

  async get(key: string): Promise<AdapterPayload | undefined> {
    const [payload, consumed] = await this.#link.hmGet(this.#key(key), ['payload', 'consumed']);
    if (typeof payload !== 'string') return undefined;
    return { ...JSON.parse(payload), ...(typeof consumed === 'string' && { consumed: Number(consumed) }) };
  }

  async consume(key: string, now: number): Promise<boolean> {
    return (await this.#run(CONSUME_RECORD, key, `${now}`)) === 1;
  }

  async take(key: string): Promise<AdapterPayload | undefined> {
    const payload = await this.#run(TAKE_RECORD, key);
    return typeof payload === 'string' ? JSON.parse(payload) : undefined;
  }

  async revoke(grantId: string): Promise<void> {
    const grant = grantKey(grantId);
    const members = await this.#run(MARK_REVOKED, grant);
    if (!Array.isArray(members)) throw new TypeError('Redis does not tell the records of a grant');
    const keys = members.map(String);
    for (let first = 0; first < keys.length; first += AT_ONCE) {
      const some = keys.slice(first, first + AT_ONCE);
      await Promise.all(some.map((key) => this.#run(TAKE_RECORD, key)));
      // Only what is gone is forgotten: whatever happens in between, a second revocation finishes the first.
      await this.#run(LEAVE_GRANT, grant, ...some);
    }
  }

  async point(from: string, id: string, ttl: number | undefined): Promise<void> {
    await this.#run(POINT, from, id, milliseconds(ttl));
  }

  async follow(from: string): Promise<string | undefined> {
    return (await this.#link.get(this.#key(from))) ?? undefined;
  }

  async unpoint(from: string, id: string): Promise<void> {
    await this.#run(DELETE_IF, from, id);
  }

  #run(script: Script, key: string, ...values: string[]): Promise<unknown> {
    return this.#link.run(script, [this.#key(key)], values);
  }

  #key(key: string): string {
    return this.#prefix + key;
  }
}

function grantKey(grantId: string): string {
  return `grant:${grantId}`;
}

/** To Redis, no time left would mean an error. */
function milliseconds(ttl: number | undefined): string {
  return ttl === undefined ? '' : `${Math.max(1, Math.round(ttl))}`;
}
