import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import { makeProof } from '../../src/phone/dpop-proof.ts';
import { generateKeys, memorySigner, type PublicJwk, type Signer, webCryptoSigner } from '../../src/phone/index.ts';

const NOW = 1_800_000_000_999;
const REQUEST = {
  method: 'POST',
  url: 'https://id.example.com/qr/api/scans',
  accessToken: 'a-token',
  nonce: 'a-nonce',
  now: NOW,
};

/** Verifies a proof with another library. @returns its header and content */
async function verifyByJose(
  proof: string,
): Promise<{ header: Record<string, unknown>; content: Record<string, unknown> }> {
  const { protectedHeader, payload } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    currentDate: new Date(NOW),
  });
  return { header: { ...protectedHeader }, content: payload };
}

describe('a DPoP proof of the library for apps', () => {
  it('conforms to RFC 9449 and is verified by jose, for both signers', async () => {
    for (const signer of [await memorySigner(), await webCryptoSigner(await generateKeys())]) {
      const { header, content } = await verifyByJose(await makeProof(signer, REQUEST));
      expect(header).to.have.all.keys('typ', 'alg', 'jwk');
      expect(header.alg).to.equal('ES256');
      const thumbprint = await calculateJwkThumbprint({ ...signer.publicJwk } as JWK);
      expect(await calculateJwkThumbprint(header.jwk as JWK)).to.equal(thumbprint);
      const { jti, ...rest } = content;
      expect(jti).to.match(/^[\w-]{22}$/);
      expect(rest).to.deep.equal({
        htm: 'POST',
        htu: REQUEST.url,
        iat: 1_800_000_000,
        ath: createHash('sha256').update('a-token').digest('base64url'),
        nonce: 'a-nonce',
      });
    }
  });

  it('has no nonce before the server has given one, and a new id each time', async () => {
    const signer = await memorySigner();
    const proofs = await Promise.all(
      Array.from({ length: 50 }, () => makeProof(signer, { ...REQUEST, nonce: undefined })),
    );
    const contents = await Promise.all(proofs.map(async (proof) => (await verifyByJose(proof)).content));
    for (const content of contents) expect(content).not.to.have.property('nonce');
    expect(new Set(contents.map(({ jti }) => jti)).size).to.equal(50);
  });

  it('can be made for the token endpoint, without an access token', async () => {
    const { method, url } = REQUEST;
    const { payload } = await jwtVerify(await makeProof(await memorySigner(), { method, url }), EmbeddedJWK);
    expect(payload).to.have.all.keys('jti', 'htm', 'htu', 'iat');
    expect(Date.now() / 1000 - Number(payload.iat)).to.be.within(0, 60);
  });

  it('can have any algorithm that the signer names', async () => {
    const ed25519 = generateKeyPairSync('ed25519');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signers: Signer[] = [
      {
        alg: 'EdDSA',
        publicJwk: ed25519.publicKey.export({ format: 'jwk' }) as unknown as PublicJwk,
        sign: (bytes) => sign(null, bytes, ed25519.privateKey),
      },
      {
        alg: 'RS256',
        publicJwk: rsa.publicKey.export({ format: 'jwk' }) as unknown as PublicJwk,
        sign: async (bytes) => sign('sha256', bytes, rsa.privateKey),
      },
    ];
    for (const signer of signers) {
      const { header } = await verifyByJose(await makeProof(signer, REQUEST));
      expect(header.alg).to.equal(signer.alg);
    }
  });

  it('never contains a private key, not even that of a careless signer', async () => {
    const { privateJwk, sign: signBytes } = await memorySigner();
    const proof = await makeProof({ publicJwk: { ...privateJwk, ...{ k: 'secret' } }, sign: signBytes }, REQUEST);
    expect(decodeProtectedHeader(proof).jwk).to.have.all.keys('kty', 'crv', 'x', 'y');
    await verifyByJose(proof);
  });

  it('is not made if the signer throws, and the error is that of the signer', async () => {
    const refusal = new Error('the user refused');
    const { publicJwk } = await memorySigner();
    const refuse = (): never => {
      throw refusal;
    };
    const outcome = await makeProof({ publicJwk, sign: refuse }, REQUEST).catch((error: unknown) => error);
    expect(outcome).to.equal(refusal);
  });

  it('has an id even in engines without WebCrypto', async () => {
    const signer = await memorySigner();
    const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto') ?? {};
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      const proofs = await Promise.all([makeProof(signer, REQUEST), makeProof(signer, REQUEST)]);
      const ids = proofs.map((proof) => JSON.parse(`${Buffer.from(`${proof.split('.')[1]}`, 'base64url')}`).jti);
      expect(ids[0])
        .to.match(/^[\w-]{22}$/)
        .and.not.equal(ids[1]);
    } finally {
      Object.defineProperty(globalThis, 'crypto', crypto);
    }
  });
});
