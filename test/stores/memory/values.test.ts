import { expect } from 'chai';
import { Keyv } from 'keyv';
import { mapOf } from '../../../src/stores/memory/in-memory.ts';
import { type Values, valuesOf } from '../../../src/stores/memory/values.ts';
import { newKeyv6 } from '../../support/keyv6.ts';
import { until } from '../../support/until.ts';

/** A lifetime in milliseconds that is longer than a write and a read take. */
const A_WHILE_MS = 60_000;

/**
 * Keyv treats strings with a colon at the start specially (`:base64:…` is a Buffer), and a request may contain such
 * strings.
 */
const VALUE = { text: ':base64:YQ==', list: [1, 'two', null], inside: { deep: ':' } };

const KINDS: readonly [string, () => Keyv, string][] = [
  ['Keyv', () => new Keyv(), 'keyv:other'],
  ['Keyv 6', () => newKeyv6(), 'other'],
  ['Keyv 6 with a namespace and its default store', () => newKeyv6({ namespace: 'mine' }), 'other'],
  ['Keyv 6 with a namespace and a given Map', () => newKeyv6({ store: new Map(), namespace: 'mine' }), 'mine::other'],
];

for (const [kind, make, otherKey] of KINDS) describeValues(kind, make, otherKey);

function describeValues(kind: string, make: () => Keyv, otherKey: string): void {
  describe(`a value in an in-memory ${kind}`, () => {
    let keyv: Keyv;
    let values: Values;

    beforeEach(() => {
      keyv = make();
      values = valuesOf(keyv);
    });

    it('is returned as it was written, as a new copy each time', async () => {
      await values.set('key', VALUE, A_WHILE_MS);
      const [one, other] = [await values.get('key'), await values.get('key')];
      expect(one).to.deep.equal(VALUE);
      expect(one).not.to.equal(other);
    });

    it('can be read and deleted with the Keyv', async () => {
      await values.set('key', { list: [1, 'two'] }, A_WHILE_MS);
      expect(await keyv.get('key')).to.deep.equal({ list: [1, 'two'] });
      await keyv.delete('key');
      expect(await values.get('key')).to.equal(undefined);
    });

    it('can be written with the Keyv', async () => {
      await keyv.set('key', { list: [1, 'two'] });
      expect(await values.get('key')).to.deep.equal({ list: [1, 'two'] });
    });

    it('is not found after it has expired, and is removed from memory when it is read', async () => {
      await values.set('key', 'value', 1);
      await values.set('other', 'value', undefined);
      const written = Date.now();
      await until(() => Date.now() > written + 1);
      expect([await values.get('key'), await values.getWithExpiry('key')]).to.deep.equal([undefined, undefined]);
      expect(await values.get('other')).to.equal('value');
      expect([...(mapOf(keyv)?.keys() ?? [])]).to.deep.equal([otherKey]);
    });

    it('has an expiry time', async () => {
      const before = Date.now();
      await values.set('key', 'value', A_WHILE_MS);
      expect((await values.getWithExpiry('key'))?.expires).to.be.within(before + A_WHILE_MS, Date.now() + A_WHILE_MS);
    });
  });
}

describe('a value in a Keyv with its own options', () => {
  const toHex = (text: string): string => Buffer.from(text).toString('hex');
  const fromHex = (text: string): string => Buffer.from(text, 'hex').toString();

  it('is written with the serializer of the Keyv', async () => {
    const store = new Map<string, string>();
    const keyv = new Keyv({
      store,
      serialize: (data) => toHex(JSON.stringify(data)),
      deserialize: (data) => JSON.parse(fromHex(String(data))),
    });
    const values = valuesOf(keyv);
    await values.set('key', 'value', A_WHILE_MS);
    expect(await values.get('key')).to.equal('value');
    expect((await values.getWithExpiry('key'))?.value).to.equal('value');
    expect(store.get('keyv:key')).to.match(/^[\da-f]+$/);
  });

  it('is written and read with the hooks of the Keyv', async () => {
    const store = new Map<string, string>();
    const keyv = new Keyv({ store });
    keyv.hooks.addHandler('preSet', (data: { value: unknown }) => {
      data.value = toHex(JSON.stringify(data.value));
    });
    keyv.hooks.addHandler('postGet', ({ value: stored }: { value?: { value: string } }) => {
      if (stored !== undefined) stored.value = JSON.parse(fromHex(stored.value));
    });
    const values = valuesOf(keyv);
    await values.set('key', { text: 'secret' }, A_WHILE_MS);
    expect(await values.get('key')).to.deep.equal({ text: 'secret' });
    expect((await values.getWithExpiry('key'))?.value).to.deep.equal({ text: 'secret' });
    expect(store.get('keyv:key')).not.to.include('secret');
  });

  it('is written and read with the compression of the Keyv', async () => {
    const store = new Map<string, string>();
    const keyv = new Keyv({
      store,
      compression: {
        compress: async (value: unknown) => toHex(JSON.stringify(value)),
        decompress: async (value: unknown) => JSON.parse(fromHex(String(value))),
      },
    });
    const values = valuesOf(keyv);
    await values.set('key', { text: 'secret' }, A_WHILE_MS);
    expect(await values.get('key')).to.deep.equal({ text: 'secret' });
    expect(store.get('keyv:key')).not.to.include('secret');
  });

  it('has the default time to live of the Keyv if none is given', async () => {
    const values = valuesOf(new Keyv({ ttl: A_WHILE_MS }));
    await values.set('key', 'value', undefined);
    expect((await values.getWithExpiry('key'))?.expires).to.be.a('number');
  });

  it('is written with the serialization, compression or encryption of a Keyv 6, and without serialization', async () => {
    const serialization = {
      stringify: (data: unknown) => toHex(JSON.stringify(data)),
      parse: (text: string) => JSON.parse(fromHex(text)),
    };
    const compression = { compress: toHex, decompress: fromHex };
    const encryption = { encrypt: toHex, decrypt: fromHex };
    for (const options of [{ serialization }, { compression }, { encryption }, { serialization: false as const }]) {
      const keyv = newKeyv6(options);
      const values = valuesOf(keyv);
      await values.set('key', { text: 'secret' }, A_WHILE_MS);
      expect(await values.get('key'), Object.keys(options)[0]).to.deep.equal({ text: 'secret' });
      expect((await values.getWithExpiry('key'))?.value).to.deep.equal({ text: 'secret' });
      expect(await keyv.get('key')).to.deep.equal({ text: 'secret' });
      if (!('serialization' in options && !options.serialization)) {
        expect(JSON.stringify(mapOf(keyv)?.get('key'))).not.to.include('secret');
      }
    }
  });
});
