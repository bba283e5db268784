import { expect } from 'chai';
import { Keyv } from 'keyv';
import { type Values, valuesOf } from '../../../src/stores/memory/values.ts';
import { until } from '../../support/until.ts';

/** Longer than it takes to write and read. */
const A_WHILE = 60_000;

/** Keyv gives a meaning of its own to strings that begin with a colon; a request may say such things. */
const VALUE = { text: ':base64:YQ==', list: [1, 'two', null], inside: { deep: ':' } };

describe('what a Keyv in memory keeps', () => {
  let keyv: Keyv;
  let values: Values;

  beforeEach(() => {
    keyv = new Keyv();
    values = valuesOf(keyv);
  });

  it('comes back as it was, every time as a copy of its own', async () => {
    await values.set('key', VALUE, A_WHILE);
    const [one, other] = [await values.get('key'), await values.get('key')];
    expect(one).to.deep.equal(VALUE);
    expect(one).not.to.equal(other);
  });

  it('is found by whoever reads with the Keyv, and gone when it has deleted it', async () => {
    await values.set('key', { list: [1, 'two'] }, A_WHILE);
    expect(await keyv.get('key')).to.deep.equal({ list: [1, 'two'] });
    await keyv.delete('key');
    expect(await values.get('key')).to.equal(undefined);
  });

  it('may have been written with the Keyv', async () => {
    await keyv.set('key', { list: [1, 'two'] });
    expect(await values.get('key')).to.deep.equal({ list: [1, 'two'] });
  });

  it('is not there once its time has passed, nor in the memory once somebody has asked', async () => {
    await values.set('key', 'value', 1);
    await values.set('other', 'value', undefined);
    const written = Date.now();
    await until(() => Date.now() > written + 1);
    expect([await values.get('key'), await values.kept('key')]).to.deep.equal([undefined, undefined]);
    expect(await values.get('other')).to.equal('value');
    expect([...keyv.store.keys()]).to.deep.equal(['keyv:other']);
  });

  it('tells its time', async () => {
    const before = Date.now();
    await values.set('key', 'value', A_WHILE);
    expect((await values.kept('key'))?.expires).to.be.within(before + A_WHILE, Date.now() + A_WHILE);
  });
});

describe('what a Keyv keeps that writes in another way', () => {
  const toHex = (text: string): string => Buffer.from(text).toString('hex');
  const fromHex = (text: string): string => Buffer.from(text, 'hex').toString();

  it('is written that way by us, too', async () => {
    const store = new Map<string, string>();
    const keyv = new Keyv({
      store,
      serialize: (data) => toHex(JSON.stringify(data)),
      deserialize: (data) => JSON.parse(fromHex(String(data))),
    });
    const values = valuesOf(keyv);
    await values.set('key', 'value', A_WHILE);
    expect(await values.get('key')).to.equal('value');
    expect((await values.kept('key'))?.value).to.equal('value');
    expect(store.get('keyv:key')).to.match(/^[\da-f]+$/);
  });

  it('has the time to live that the deployment has set where we name none', async () => {
    const values = valuesOf(new Keyv({ ttl: A_WHILE }));
    await values.set('key', 'value', undefined);
    expect((await values.kept('key'))?.expires).to.be.a('number');
  });
});
