import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify, webcrypto } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  generateKeys,
  memorySigner,
  type PublicJwk,
  rawSignature,
  type Signer,
  webCryptoSigner,
} from '../../src/phone/index.ts';
import { sizeOfSuite } from '../support/full-suite.ts';

const BYTES = Buffer.from('header.content');

function publicKeyOf(jwk: PublicJwk): KeyObject {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' });
}

async function verifies(signer: Signer): Promise<boolean> {
  const key = publicKeyOf(signer.publicJwk);
  return verify('sha256', BYTES, { key, dsaEncoding: 'ieee-p1363' }, await signer.sign(BYTES));
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a signer', () => {
  it('of WebCrypto signs with a key that cannot be exported', async () => {
    const keys = await generateKeys();
    expect(await verifies(await webCryptoSigner(keys))).to.equal(true);
    const privateKey = keys.privateKey as webcrypto.CryptoKey;
    for (const exportKey of [
      () => webcrypto.subtle.exportKey('jwk', privateKey),
      () => webcrypto.subtle.exportKey('pkcs8', privateKey),
    ]) {
      expect(await rejectionOf(exportKey()))
        .to.have.property('name')
        .that.matches(/^InvalidAccess/);
    }
  });

  it('of WebCrypto can be made again from stored keys', async () => {
    // IndexedDB stores a structured clone.
    const stored = structuredClone(await generateKeys());
    const [one, other] = [await webCryptoSigner(stored), await webCryptoSigner(stored)];
    expect(one.publicJwk).to.deep.equal(other.publicJwk);
    expect(await verifies(one)).to.equal(true);
  });

  it('in memory signs, even with the key of an earlier run', async () => {
    const first = await memorySigner();
    const again = await memorySigner(JSON.parse(JSON.stringify(first.privateJwk)));
    expect(await verifies(first)).to.equal(true);
    expect(await verifies(again)).to.equal(true);
    expect(again.publicJwk).to.deep.equal(first.publicJwk);
    expect(first.publicJwk).to.have.all.keys('kty', 'crv', 'x', 'y');
  });

  it('in memory accepts a key of another program', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = privateKey.export({ format: 'jwk' }) as { kty: string; d: string };
    expect(await verifies(await memorySigner(jwk))).to.equal(true);
  });

  it('can use the WebCrypto of a polyfill', async () => {
    const calls: string[] = [];
    const subtle = new Proxy(webcrypto.subtle, {
      get: (target, name) => {
        calls.push(`${String(name)}`);
        const method: unknown = Reflect.get(target, name);
        return typeof method === 'function' ? method.bind(target) : method;
      },
    });
    expect(await verifies(await webCryptoSigner(await generateKeys(subtle), subtle))).to.equal(true);
    expect(calls).to.deep.equal(['generateKey', 'exportKey', 'sign']);
  });

  it('names the missing function if there is no WebCrypto', async () => {
    const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto') ?? {};
    Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true });
    try {
      for (const make of [() => generateKeys(), () => memorySigner()]) {
        expect(await rejectionOf(make()))
          .to.be.instanceOf(TypeError)
          .with.property('message')
          .that.includes('no WebCrypto');
      }
    } finally {
      Object.defineProperty(globalThis, 'crypto', crypto);
    }
  });
});

describe('a signature in DER, as from the Secure Enclave and the Android Keystore', () => {
  it('is converted to the 64 bytes of ES256', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    // In one of 256 signatures a number is shorter than 32 bytes.
    for (let round = 0; round < sizeOfSuite({ short: 300, full: 5_000 }); round++) {
      const raw = rawSignature(sign('sha256', BYTES, { key: privateKey, dsaEncoding: 'der' }));
      expect(raw).to.have.length(64);
      expect(verify('sha256', BYTES, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).to.equal(true);
    }
  });

  it('may have numbers of any size', () => {
    const short = Buffer.from([0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0xff]);
    const raw = rawSignature(short);
    expect([raw[31], raw[63], raw.filter((byte) => byte !== 0).length]).to.deep.equal([5, 255, 2]);
  });

  it('is refused if it is not DER', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          return rawSignature(bytes).length === 64;
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
    );
    const raw = new Uint8Array(64).fill(7);
    expect(() => rawSignature(raw)).to.throw(RangeError);
    expect(() => rawSignature(new Uint8Array())).to.throw(RangeError);
  });
});
