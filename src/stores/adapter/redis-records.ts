import type { AdapterPayload } from 'oidc-provider';
import type { RedisLink } from '../redis/link.ts';
import {
  CLAIM_RECORD,
  CONSUME_RECORD,
  DELETE_IF,
  FINISH_RECORD,
  IN_GRANT,
  JOIN_GRANT,
  LEAVE_GRANT,
  MARK_REVOKED,
  POINT,
  PUT_IN_GRANT,
  PUT_RECORD,
  RELEASE_RECORD,
  RESERVE_RECORD,
  type Script,
  TAKE_RECORD,
} from '../redis/scripts.ts';
import { GRANT_CLOSED_MS, type Records } from './records.ts';

/** The number of a grant's records that are deleted at a time. */
const BATCH_SIZE = 500;

/**
 * Records in Redis, for any number of processes. A record, its grant and its lookup keys are in different slots of a
 * cluster, because a lookup knows only one of these keys. So in a cluster each step is one script on one key, and the
 * order of the steps keeps the data consistent if the process crashes between two of them.
 */
export class RedisRecords implements Records {
  readonly #link: RedisLink;
  readonly #prefix: string;

  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = `${prefix}oidc:`;
  }

  async put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void> {
    const life = milliseconds(ttl);
    const content = JSON.stringify(payload);
    const consumed = payload.consumed === undefined ? [] : [`${payload.consumed}`];
    if (grantId !== undefined && !this.#link.isCluster) {
      const keys = [this.#key(grantKey(grantId)), this.#key(key)];
      await this.#link.run(PUT_IN_GRANT, keys, [key, life, content, ...consumed]);
      return;
    }
    // Write the grant first: a record that is missing from its grant would survive the grant's revocation.
    const joined = grantId === undefined || (await this.#run(JOIN_GRANT, grantKey(grantId), key, life)) === 1;
    if (!joined) {
      await this.#run(TAKE_RECORD, key);
      return;
    }
    await this.#run(PUT_RECORD, key, content, life, ...consumed);
    if (grantId === undefined || (await this.#run(IN_GRANT, grantKey(grantId), key)) === 1) return;
    // The grant was revoked after the record had joined it, so the new record must go too.
    await this.#run(TAKE_RECORD, key);
  }

  async get(key: string): Promise<AdapterPayload | undefined> {
    const [payload, consumed] = await this.#link.hmGet(this.#key(key), ['payload', 'consumed']);
    if (typeof payload !== 'string') return undefined;
    // A field that is no number also means that the record was consumed, so it must not be read as a falsy NaN.
    return { ...JSON.parse(payload), ...(typeof consumed === 'string' && { consumed: Number(consumed) || 1 }) };
  }

  async consume(key: string, now: number, by?: string): Promise<boolean> {
    return (await this.#run(CONSUME_RECORD, key, `${now}`, ...(by === undefined ? [] : [by]))) === 1;
  }

  async reserve(key: string, ttl: number): Promise<boolean> {
    return (await this.#run(RESERVE_RECORD, key, milliseconds(ttl))) === 1;
  }

  async claim(key: string, id: string, lasts: number): Promise<'claimed' | 'busy' | 'refused'> {
    const answer = await this.#run(CLAIM_RECORD, key, id, `${lasts}`);
    if (answer === 2) return 'busy';
    return answer === 1 ? 'claimed' : 'refused';
  }

  async finish(key: string, id: string, now: number): Promise<boolean> {
    return (await this.#run(FINISH_RECORD, key, id, `${now}`)) !== 0;
  }

  async release(key: string, id: string): Promise<void> {
    await this.#run(RELEASE_RECORD, key, id);
  }

  async take(key: string): Promise<AdapterPayload | undefined> {
    const payload = await this.#run(TAKE_RECORD, key);
    return typeof payload === 'string' ? JSON.parse(payload) : undefined;
  }

  revoke(grantId: string): Promise<void> {
    return this.#deleteMembers(grantId);
  }

  close(grantId: string): Promise<void> {
    return this.#deleteMembers(grantId, milliseconds(GRANT_CLOSED_MS));
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

  async #deleteMembers(grantId: string, ...closedFor: readonly string[]): Promise<void> {
    const grant = grantKey(grantId);
    const members = await this.#run(MARK_REVOKED, grant, ...closedFor);
    if (!Array.isArray(members)) throw new TypeError('Redis did not return the records of a grant');
    const keys = members.map(String);
    for (let first = 0; first < keys.length; first += BATCH_SIZE) {
      const some = keys.slice(first, first + BATCH_SIZE);
      await Promise.all(some.map((key) => this.#run(TAKE_RECORD, key)));
      // The grant forgets only deleted records: if this is interrupted, a second revocation can finish the job.
      await this.#run(LEAVE_GRANT, grant, ...some);
    }
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

/** Returns a time to live for a script: at least 1, because Redis rejects 0; an empty string for no expiry. */
function milliseconds(ttl: number | undefined): string {
  return ttl === undefined ? '' : `${Math.max(1, Math.round(ttl))}`;
}
