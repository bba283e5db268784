import { type Adapter, type AdapterFactory, type AdapterPayload, errors, Provider } from 'oidc-provider';
import { QrLoginError } from '../../ticket/errors.ts';
import { type AnyKeyv, assertKeyv } from '../keyv-version.ts';
import { redisOf } from '../redis/client.ts';
import { RedisLink } from '../redis/link.ts';
import { checkAdapterSecrets, type KeyvAdapterOptions, warnReadable } from './adapter-secrets.ts';
import { withTimeOfUse } from './consumed.ts';
import { currentConsumer } from './consumer.ts';
import { Exchange, Releases } from './exchange.ts';
import { KeyvRecords } from './keyv-records.ts';
import type { Records } from './records.ts';
import { RedisRecords } from './redis-records.ts';
import { SealedRecords } from './sealed-records.ts';
import { TemporarilyUnavailable } from './temporarily-unavailable.ts';

/**
 * Models with single-use records of a grant. Of several concurrent uses, at most one succeeds, and the others revoke
 * the grant (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2).
 */
const USED_ONCE: ReadonlySet<string> = new Set([
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
]);

/** Models with records that are deleted when their grant is revoked. */
const GRANTABLE: ReadonlySet<string> = new Set([...USED_ONCE, 'AccessToken']);

/**
 * The shortest time for which a used proof is known: eleven minutes. oidc-provider accepts a DPoP proof from 300 s
 * before its `iat` until 300 s after it. That is ten minutes; one more minute allows for nodes whose clocks differ.
 */
const REPLAY_KNOWN_MS = 660_000;

/**
 * Returns an adapter that keeps the records of `oidc-provider` in a Keyv. Their number is not limited, and expired
 * records are removed. A Keyv over `@keyv/redis` serves any number of processes, any other Keyv serves one.
 *
 * If the store does not answer within a second, the client gets `temporarily_unavailable` with status 503.
 *
 * Ids are stored as hashes and records encrypted, so that a copy of the store holds no token or session that works.
 * Give `secrets` for a store outside of this process: without them, ids that can be guessed are not protected.
 *
 * @throws TypeError if the store is no Keyv or too old a one, or if a secret is too short
 * @example
 * const provider = new Provider(issuer, { adapter: keyvAdapter(store, { secrets: [process.env.STORE_KEY] }) });
 */
export function keyvAdapter(keyv: AnyKeyv, options: KeyvAdapterOptions = {}): AdapterFactory {
  assertKeyv(keyv);
  const secrets = checkAdapterSecrets(options);
  if (secrets.length === 0) warnReadable(keyv);
  const redis = redisOf(keyv);
  const stored = redis ? new RedisRecords(RedisLink.forClient(redis), redis.prefix) : new KeyvRecords(keyv);
  const records = new SealedRecords(stored, secrets, USED_ONCE);
  const releases = new Releases(records);
  return (model) => new KeyvAdapter(model, records, releases);
}

class KeyvAdapter implements Adapter {
  readonly #model: string;
  readonly #records: Records;
  readonly #releases: Releases;

  constructor(model: string, records: Records, releases: Releases) {
    this.#model = model;
    this.#records = records;
    this.#releases = releases;
  }

  /** Writes a record. @throws TypeError if the payload or its lifetime cannot be stored */
  async upsert(id: string, given: AdapterPayload, expiresIn?: number): Promise<void> {
    const ttl = this.#lifetime(expiresIn);
    const payload = withTimeOfUse(given);
    const grantId = GRANTABLE.has(this.#model) ? payload.grantId : undefined;
    await this.#try(async () => {
      // Remove the record, because a store would keep it for a millisecond at least.
      if (ttl !== undefined && ttl <= 0) return this.#remove(id);
      const ways = this.#ways(payload).map((way) => this.#records.point(way, id, ttl));
      await Promise.all([this.#records.put(this.#key(id), payload, ttl, grantId), ...ways]);
    });
  }

  /**
   * Returns a record. For `ReplayDetection`, it also reserves an id that is not known yet: oidc-provider first looks
   * for an earlier use of the proof, and then saves the use. So of several concurrent calls with a new id, only one
   * finds nothing and may use the proof.
   */
  find(id: string): Promise<AdapterPayload | undefined> {
    if (this.#model === 'ReplayDetection') return this.#reserve(id);
    return this.#try(async () => {
      const key = this.#key(id);
      if (USED_ONCE.has(this.#model)) await this.#releases.settle(key);
      return this.#records.get(key);
    });
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findBy(uidKey(uid));
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findBy(userCodeKey(userCode));
  }

  async consume(id: string): Promise<void> {
    const consumed = await this.#try(() => this.#consume(this.#key(id)));
    if (consumed) return;
    if (this.#model === 'PushedAuthorizationRequest')
      throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
    if (USED_ONCE.has(this.#model)) await this.#refuseReplay(id);
  }

  destroy(id: string): Promise<void> {
    return this.#try(async () => {
      // Tokens that a concurrent request is writing at this moment must end with the grant, too.
      if (this.#model === 'Grant') await this.#records.close(id);
      await this.#remove(id);
    });
  }

  revokeByGrantId(grantId: string): Promise<void> {
    return this.#try(() => this.#records.revoke(grantId));
  }

  /** Returns the time to live in milliseconds; undefined for a record that never expires. */
  #lifetime(expiresIn: number | undefined): number | undefined {
    if (expiresIn === undefined || expiresIn === Number.POSITIVE_INFINITY) return undefined;
    // `NaN` would be stored as "never expires".
    if (typeof expiresIn !== 'number' || Number.isNaN(expiresIn)) {
      throw new TypeError(
        `keyvAdapter: the lifetime of a record (${this.#model}) must be a number of seconds, not ${expiresIn}: check ttl.${this.#model} of the provider, or expiresIn where your code makes the record`,
      );
    }
    return this.#model === 'ReplayDetection' ? Math.max(REPLAY_KNOWN_MS, expiresIn * 1000) : expiresIn * 1000;
  }

  async #reserve(id: string): Promise<AdapterPayload | undefined> {
    const isFirst = await this.#try(() => this.#records.reserve(this.#key(id), REPLAY_KNOWN_MS));
    // The saved `exp` is left out, because oidc-provider sets it too early for a proof from a clock that is ahead.
    return isFirst ? undefined : { kind: this.#model, jti: id };
  }

  /**
   * Ends the grant of a record that was used twice at once, with the tokens that the other request got or is about to
   * get.
   * @throws InvalidGrant
   */
  async #refuseReplay(id: string): Promise<never> {
    const grantId = (await this.find(id))?.grantId;
    if (grantId !== undefined) {
      await new KeyvAdapter('Grant', this.#records, this.#releases).destroy(grantId);
      Provider.ctx?.oidc.provider.emit('grant.revoked', Provider.ctx, grantId);
    }
    throw new errors.InvalidGrant('it was used by another request at the same time');
  }

  /**
   * Consumes a record. Within an exchange for tokens it only claims the record, because the exchange may still fail.
   */
  #consume(key: string): Promise<boolean> {
    const exchange = USED_ONCE.has(this.#model) ? Exchange.current : undefined;
    if (exchange === undefined) return this.#records.consume(key, Math.floor(Date.now() / 1000), currentConsumer());
    return exchange.claim({ key, records: this.#records, releases: this.#releases });
  }

  async #remove(id: string): Promise<void> {
    const payload = await this.#records.take(this.#key(id));
    // Remove the lookup keys as well, except one that leads to a record with another id, which was written later.
    for (const way of this.#ways(payload)) await this.#records.unpoint(way, id);
  }

  /** Returns the other keys that lead to a record: its uid (sessions only) and its user code. */
  #ways(payload: AdapterPayload | undefined): string[] {
    const uid = this.#model === 'Session' ? payload?.uid : undefined;
    return [...(uid ? [uidKey(uid)] : []), ...(payload?.userCode ? [userCodeKey(payload.userCode)] : [])];
  }

  #findBy(way: string): Promise<AdapterPayload | undefined> {
    return this.#try(async () => {
      const id = await this.#records.follow(way);
      return id === undefined ? undefined : this.#records.get(this.#key(id));
    });
  }

  async #try<T>(access: () => Promise<T>): Promise<T> {
    try {
      return await access();
    } catch (error) {
      throw error instanceof QrLoginError ? new TemporarilyUnavailable(error) : error;
    }
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }
}

function uidKey(uid: string): string {
  return `uid:${uid}`;
}

function userCodeKey(userCode: string): string {
  return `userCode:${userCode}`;
}
