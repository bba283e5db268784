import type { AdapterPayload } from 'oidc-provider';

/** Where the records of oidc-provider live. Times to live are in milliseconds; undefined means without end. */
export interface Records {
  /** Writes a record, and with it that it belongs to its grant. What was consumed stays so. */
  put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void>;

  get(key: string): Promise<AdapterPayload | undefined>;

  /**
   * Marks a record as consumed and leaves its time to live as it is.
   * @returns false where it was consumed before, or is gone: it stays gone
   */
  consume(key: string, now: number): Promise<boolean>;

  /** Takes a record out. @returns what it was */
  take(key: string): Promise<AdapterPayload | undefined>;

  /** Deletes all records of a grant. */
  revoke(grantId: string): Promise<void>;

  /** Makes a way to a record's id. */
  point(from: string, id: string, ttl: number | undefined): Promise<void>;

  follow(from: string): Promise<string | undefined>;

  /** Deletes a way where it still leads to this id. */
  unpoint(from: string, id: string): Promise<void>;
}
