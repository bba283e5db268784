import { Keyv } from 'keyv';
import type { AdapterFactory } from 'oidc-provider';
import { keyvAdapter } from '../../src/stores/adapter/keyv-adapter.ts';

/** The adapter of this package, in memory. Its lookups of one model can be made to wait for each other. */
export class MeetingAdapter {
  readonly #factory = keyvAdapter(new Keyv());
  readonly #model: string;
  #meeting: { readonly all: Promise<unknown>; readonly arrive: () => void } | undefined;

  constructor(model: string) {
    this.#model = model;
  }

  readonly adapter: AdapterFactory = (model) => {
    const adapter = this.#factory(model);
    if (model !== this.#model) return adapter;
    const find = adapter.find.bind(adapter);
    adapter.find = async (id) => {
      const found = await find(id);
      this.#meeting?.arrive();
      await this.#meeting?.all;
      return found;
    };
    return adapter;
  };

  /** Makes the next lookups end at the same time. All later lookups end immediately. */
  meet(lookups: number): void {
    let left = lookups;
    let end = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      end = resolve;
    });
    const arrive = (): void => {
      left -= 1;
      if (left === 0) end();
    };
    this.#meeting = { all, arrive };
  }
}
