import type { AdapterPayload } from 'oidc-provider';
import { PLAIN_FORM, type RecordForm, SealedForm } from './record-form.ts';
import type { Records } from './records.ts';

/**
 * Records that a reader of the store cannot use. They are written in the form of the newest secret. A lookup tries this
 * form first, and then all older forms at once: those of the older secrets, the one without a secret, and the plain one
 * of earlier versions.
 */
export class SealedRecords implements Records {
  readonly #records: Records;
  readonly #newest: RecordForm;
  readonly #older: readonly RecordForm[];
  readonly #staying: ReadonlySet<string>;

  /**
   * @param secrets the newest first; may be empty
   * @param staying the models with records that stay in the form in which they were first written. A record that is
   *   used once must never exist twice, not even for a moment.
   */
  constructor(records: Records, secrets: readonly (string | Uint8Array)[], staying: ReadonlySet<string>) {
    const [newest, ...older] = [...secrets.map((secret) => new SealedForm(secret)), new SealedForm()];
    this.#records = records;
    this.#newest = newest ?? new SealedForm();
    this.#older = [...older, PLAIN_FORM];
    this.#staying = staying;
  }

  async put(key: string, payload: AdapterPayload, ttl: number | undefined, grantId: string | undefined): Promise<void> {
    if (this.#staying.has(key.slice(0, key.indexOf(':')))) {
      const [found] = await this.#findOlder(key);
      await this.#putAs(found?.form ?? this.#newest, key, payload, ttl, grantId);
      return;
    }
    const [older] = await Promise.all([this.#findOlder(key), this.#putAs(this.#newest, key, payload, ttl, grantId)]);
    for (const { form, payload: before } of older) {
      if (before.consumed !== undefined) await this.#records.consume(this.#newest.keyName(key), before.consumed);
      await this.#records.take(form.keyName(key));
    }
  }

  async get(key: string): Promise<AdapterPayload | undefined> {
    const payload = await this.#getAs(this.#newest, key);
    return payload ?? (await this.#findOlder(key))[0]?.payload;
  }

  async consume(key: string, now: number, by?: string): Promise<boolean> {
    if (await this.#records.consume(this.#newest.keyName(key), now, by)) return true;
    const older = await Promise.all(this.#older.map((form) => this.#records.consume(form.keyName(key), now, by)));
    return older.includes(true);
  }

  /**
   * Reserves under every secret, because a node that does not have the newest secret yet reserves under an older one.
   */
  async reserve(key: string, ttl: number): Promise<boolean> {
    if (!(await this.#records.reserve(this.#newest.keyName(key), ttl))) return false;
    const older = this.#older.map((form) =>
      // Only look at the plain form, in which earlier versions wrote: the id must not appear in a new key.
      form === PLAIN_FORM ? this.#isMissing(form, key) : this.#records.reserve(form.keyName(key), ttl),
    );
    return !(await Promise.all(older)).includes(false);
  }

  async claim(key: string, id: string, lasts: number): ReturnType<Records['claim']> {
    const outcome = await this.#records.claim(this.#newest.keyName(key), id, lasts);
    if (outcome !== 'refused') return outcome;
    const older = await Promise.all(this.#older.map((form) => this.#records.claim(form.keyName(key), id, lasts)));
    return older.find((one) => one !== 'refused') ?? 'refused';
  }

  async finish(key: string, id: string, now: number): Promise<boolean> {
    // For a form in which the record does not exist, this has no effect and returns true.
    const finished = await Promise.all(this.#forms.map((form) => this.#records.finish(form.keyName(key), id, now)));
    return finished.every(Boolean);
  }

  async release(key: string, id: string): Promise<void> {
    await Promise.all(this.#forms.map((form) => this.#records.release(form.keyName(key), id)));
  }

  async take(key: string): Promise<AdapterPayload | undefined> {
    const taken = this.#forms.map(async (form) => {
      const stored = await this.#records.take(form.keyName(key));
      return stored && form.decode(key, stored);
    });
    return (await Promise.all(taken)).find((payload) => payload !== undefined);
  }

  async revoke(grantId: string): Promise<void> {
    await Promise.all(this.#forms.map((form) => this.#records.revoke(form.grantName(grantId))));
  }

  async close(grantId: string): Promise<void> {
    const closed = this.#forms.map((form) =>
      form === PLAIN_FORM ? this.#records.revoke(grantId) : this.#records.close(form.grantName(grantId)),
    );
    await Promise.all(closed);
  }

  async point(from: string, id: string, ttl: number | undefined): Promise<void> {
    const older = this.#older.map(async (form) => ({ form, id: await this.#followAs(form, from) }));
    const [leading] = await Promise.all([
      Promise.all(older),
      this.#records.point(this.#newest.keyName(from), this.#newest.encodeId(from, id), ttl),
    ]);
    const stale = leading.filter((one) => one.id === id);
    await Promise.all(stale.map(({ form }) => this.#records.unpoint(form.keyName(from), form.encodeId(from, id))));
  }

  async follow(from: string): Promise<string | undefined> {
    const id = await this.#followAs(this.#newest, from);
    if (id !== undefined) return id;
    const older = await Promise.all(this.#older.map((form) => this.#followAs(form, from)));
    return older.find((one) => one !== undefined);
  }

  async unpoint(from: string, id: string): Promise<void> {
    await Promise.all(this.#forms.map((form) => this.#records.unpoint(form.keyName(from), form.encodeId(from, id))));
  }

  get #forms(): readonly RecordForm[] {
    return [this.#newest, ...this.#older];
  }

  async #findOlder(key: string): Promise<{ form: RecordForm; payload: AdapterPayload }[]> {
    const found = this.#older.map(async (form) => {
      const payload = await this.#getAs(form, key);
      return payload === undefined ? [] : [{ form, payload }];
    });
    return (await Promise.all(found)).flat();
  }

  async #isMissing(form: RecordForm, key: string): Promise<boolean> {
    return (await this.#records.get(form.keyName(key))) === undefined;
  }

  async #getAs(form: RecordForm, key: string): Promise<AdapterPayload | undefined> {
    const stored = await this.#records.get(form.keyName(key));
    return stored && form.decode(key, stored);
  }

  #putAs(
    form: RecordForm,
    key: string,
    payload: AdapterPayload,
    ttl: number | undefined,
    grantId: string | undefined,
  ): Promise<void> {
    const grant = grantId === undefined ? undefined : this.#newest.grantName(grantId);
    return this.#records.put(form.keyName(key), form.encode(key, payload), ttl, grant);
  }

  async #followAs(form: RecordForm, from: string): Promise<string | undefined> {
    const stored = await this.#records.follow(form.keyName(from));
    return stored === undefined ? undefined : form.decodeId(from, stored);
  }
}
