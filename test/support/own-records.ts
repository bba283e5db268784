import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** A deployment's own adapter, in memory. A test can make one access fail. */
export class OwnRecords {
  readonly #records = new Map<string, { readonly payload: AdapterPayload; readonly expires: number }>();
  #accesses = 0;
  #failsAt = Number.POSITIVE_INFINITY;
  #isDoneAnyway = false;

  readonly adapter: AdapterFactory = (model) => this.#adapterFor(model);

  /**
   * Makes the access with this number fail. The next access is number 1.
   * @param isDoneAnyway true if the access takes effect before it fails
   */
  failAt(at: number, isDoneAnyway: boolean): void {
    this.#accesses = 0;
    this.#failsAt = at;
    this.#isDoneAnyway = isDoneAnyway;
  }

  /** Lets all accesses succeed again. @returns true if an access has failed */
  heal(): boolean {
    const hasFailed = this.#accesses >= this.#failsAt;
    this.#failsAt = Number.POSITIVE_INFINITY;
    return hasFailed;
  }

  #adapterFor(model: string): Adapter {
    const key = (id: string): string => `${model}:${id}`;
    const findBy = (field: 'uid' | 'userCode', value: string): AdapterPayload | undefined => {
      const found = [...this.#records].find(
        ([name, { payload }]) => name.startsWith(key('')) && payload[field] === value,
      );
      return found && this.#find(found[0]);
    };
    return {
      upsert: (id, payload, lasts) => this.#access(() => this.#put(key(id), payload, lasts)),
      find: (id) => this.#access(() => this.#find(key(id))),
      findByUid: (uid) => this.#access(() => findBy('uid', uid)),
      findByUserCode: (userCode) => this.#access(() => findBy('userCode', userCode)),
      consume: (id) => this.#access(() => this.#change(key(id), { consumed: Math.floor(Date.now() / 1000) })),
      destroy: (id) => this.#access(() => void this.#records.delete(key(id))),
      revokeByGrantId: (grantId) => this.#access(() => this.#revoke(grantId)),
    };
  }

  async #access<T>(act: () => T): Promise<T> {
    this.#accesses += 1;
    const fails = this.#accesses === this.#failsAt;
    if (fails && !this.#isDoneAnyway) throw new Error('this adapter is out of order');
    const answer = act();
    if (fails) throw new Error('the answer of this adapter was lost');
    return answer;
  }

  #put(key: string, payload: AdapterPayload, lasts = Number.POSITIVE_INFINITY): void {
    this.#records.set(key, { payload: structuredClone(payload), expires: Date.now() + lasts * 1000 });
  }

  #find(key: string): AdapterPayload | undefined {
    const record = this.#records.get(key);
    return record && record.expires > Date.now() ? structuredClone(record.payload) : undefined;
  }

  #change(key: string, changes: AdapterPayload): void {
    const record = this.#records.get(key);
    if (record) this.#records.set(key, { ...record, payload: { ...record.payload, ...changes } });
  }

  #revoke(grantId: string): void {
    for (const [key, { payload }] of this.#records) if (payload.grantId === grantId) this.#records.delete(key);
  }
}
