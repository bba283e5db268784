import { createRequire } from 'node:module';
import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import { Keyv, type KeyvOptions } from 'keyv';
import { keyvAdapter, qrLogin } from '../../../src/index.ts';
import { redisOf } from '../../../src/stores/redis/client.ts';
import { keyv6OverRedis } from '../../support/keyv6.ts';

/** No server listens here. The clients do not connect before they are used. */
const URL_OF_NO_SERVER = 'redis://127.0.0.1:1';

class EncryptingRedis extends KeyvRedis<unknown> {
  override async set(key: string, value: string, ttl?: number): Promise<void> {
    await super.set(key, Buffer.from(value).toString('base64'), ttl);
  }
}

const OWN: Readonly<Record<string, () => Keyv>> = {
  serialize: () => over({ serialize: (data) => Buffer.from(JSON.stringify(data)).toString('hex') }),
  'serialize, deserialize': () =>
    over({ serialize: async (data) => JSON.stringify(data), deserialize: async (data) => JSON.parse(String(data)) }),
  deserialize: () => over({ deserialize: (data) => JSON.parse(String(data)) }),
  compression: () => over({ compression: { compress: unchanged, decompress: unchanged } }),
  hooks: () => {
    const keyv = over();
    keyv.hooks.addHandler('preSet', () => undefined);
    return keyv;
  },
  'set()': () => new Keyv({ store: new EncryptingRedis(URL_OF_NO_SERVER) }),
};

async function unchanged<T>(value: T): Promise<T> {
  return value;
}

function over(options: KeyvOptions = {}): Keyv {
  return new Keyv({ store: new KeyvRedis(URL_OF_NO_SERVER), ...options });
}

const OWN_OF_KEYV_6: Readonly<Record<string, () => Keyv>> = {
  serialization: () => over6({ serialization: { stringify: JSON.stringify, parse: JSON.parse } }),
  compression: () => over6({ compression: { compress: unchanged, decompress: unchanged } }),
  encryption: () => over6({ encryption: { encrypt: unchanged, decrypt: unchanged } }),
  hooks: () => {
    const keyv = over6();
    keyv.on('error', () => undefined);
    Reflect.apply(Reflect.get(keyv, 'onHook'), keyv, [{ event: 'before:set', handler: () => undefined }]);
    return keyv;
  },
};

function over6(options: Parameters<typeof keyv6OverRedis>[1] = {}): Keyv {
  return keyv6OverRedis(URL_OF_NO_SERVER, options);
}

const hooks = { findAccount: () => undefined, signIn: () => '/' };

describe('a Keyv over Redis', () => {
  for (const [parts, makeKeyv] of Object.entries(OWN)) {
    it(`is refused at start-up if it has its own ${parts}, because the engine would bypass them`, () => {
      const message = `the Keyv over Redis has its own ${parts}, which would have no effect`;
      expect(() => keyvAdapter(makeKeyv())).to.throw(TypeError, message);
      expect(() => qrLogin({ ...hooks, store: makeKeyv() })).to.throw(TypeError, message);
    });
  }

  for (const [parts, makeKeyv] of Object.entries(OWN_OF_KEYV_6)) {
    it(`is also refused if it is a Keyv 6 with its own ${parts}`, () => {
      expect(() => keyvAdapter(makeKeyv())).to.throw(TypeError, `has its own ${parts}, which would have no effect`);
    });
  }

  it('is accepted if it is a Keyv 6, in the namespace that Keyv 5 has by default', () => {
    keyvAdapter(over6());
    expect(redisOf(over6())?.prefix).to.equal('keyv:');
    expect(redisOf(over6({ namespace: 'mine' }))?.prefix).to.equal('mine:');
  });

  it('is accepted if it has no such parts, even after the last handler of a hook was removed', () => {
    const keyv = over({ throwOnErrors: true, namespace: 'mine', stats: true });
    const handler = (): void => undefined;
    keyv.hooks.addHandler('preSet', handler);
    keyv.hooks.removeHandler('preSet', handler);
    keyvAdapter(keyv);
    qrLogin({ ...hooks, store: keyv });
  });

  it("is accepted from a second copy of Keyv with that copy's serializer, and refused with another", () => {
    const copy: { Keyv: typeof Keyv } = createRequire(import.meta.url)('keyv');
    expect(copy.Keyv).not.to.equal(Keyv);
    const store = new KeyvRedis(URL_OF_NO_SERVER);
    expect(new copy.Keyv({ store }).serialize).not.to.equal(over().serialize);
    expect(redisOf(new copy.Keyv({ store }))).to.be.an('object');
    expect(() => redisOf(new copy.Keyv({ store, serialize: String }))).to.throw(TypeError, 'its own serialize,');
  });
});
