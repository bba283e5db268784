import type { AdapterPayload } from 'oidc-provider';

/**
 * The time for which a grant stays closed. It is the longest life of an authorization code (RFC 6749, section 4.1.2),
 * and longer than Node.js lets a request take: after that, no request can still be writing tokens of the grant.
 */
export const GRANT_CLOSED_MS = 600_000;

/**
 * A store for the records of oidc-provider. Times to live are in milliseconds; undefined means that they never expire.
 */
export interface Records {
  /**
   * Writes a record and adds it to its grant. A record that was consumed before stays consumed. If the grant is closed,
   * the record is deleted instead.
   */
  put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void>;

  get(key: string): Promise<AdapterPayload | undefined>;

  /**
   * Marks a record as consumed and leaves its time to live as it is.
   * @param by the consumer, which may consume the record again; undefined for one that has no name
   * @returns false if another consumer has consumed it before, or if it does not exist; a missing record is not created
   */
  consume(key: string, now: number, by?: string): Promise<boolean>;

  /** Creates an empty record. @returns false if the record exists. Of several concurrent calls, one returns true. */
  reserve(key: string, ttl: number): Promise<boolean>;

  /**
   * Claims a record for one exchange, which may {@link finish} it. The claim does not show in the payload.
   * @param id the exchange
   * @param lasts after these milliseconds another exchange may take the record over
   * @returns `busy` while another exchange has it; `refused` if it was consumed or does not exist
   */
  claim(key: string, id: string, lasts: number): Promise<'claimed' | 'busy' | 'refused'>;

  /**
   * Marks a record as consumed if this exchange has it, even if the time of its claim is over.
   * @returns false if another exchange has taken it over, or consumed it. True if the record is gone: its grant was
   *   revoked, and so was what the exchange has issued
   */
  finish(key: string, id: string, now: number): Promise<boolean>;

  /**
   * Gives a record back if this exchange has it. The record is then as it was before this exchange claimed or consumed
   * it.
   */
  release(key: string, id: string): Promise<void>;

  /** Deletes a record. @returns its payload; undefined if it did not exist */
  take(key: string): Promise<AdapterPayload | undefined>;

  /** Deletes all records of a grant. */
  revoke(grantId: string): Promise<void>;

  /** Deletes all records of a grant, and closes it: for {@link GRANT_CLOSED_MS}, no record can be added. */
  close(grantId: string): Promise<void>;

  /** Writes a lookup key that leads to a record's id. */
  point(from: string, id: string, ttl: number | undefined): Promise<void>;

  follow(from: string): Promise<string | undefined>;

  /** Deletes a lookup key if it still leads to this id. */
  unpoint(from: string, id: string): Promise<void>;
}
