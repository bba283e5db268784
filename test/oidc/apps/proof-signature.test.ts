import assert from 'node:assert/strict';
import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign, webcrypto } from 'node:crypto';
import { jwtVerify } from 'jose';
import { APP_ALGORITHMS } from '../../../src/oidc/apps/app-challenge.ts';
import { ProofKeys } from '../../../src/oidc/apps/proof-keys.ts';
import { verifyProof } from '../../../src/oidc/apps/proof-signature.ts';
import { replacing } from '../../security/attack.ts';

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OTHER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ED25519 = generateKeyPairSync('ed25519');
const NOW_S = Math.floor(Date.now() / 1000);
const CLAIMS = { jti: 'a proof of its own', htm: 'POST', htu: 'https://id.example/qr/api/scans', iat: NOW_S };

interface ProofParts {
  readonly pair?: KeyPair;
  /** The key that is in the header. */
  readonly shown?: JsonWebKey;
  readonly header?: object;
  readonly claims?: string;
  readonly encoding?: 'der' | 'ieee-p1363';
}

function makeProof({
  pair = P256,
  shown = publicJwk(pair),
  header = {},
  claims = JSON.stringify(CLAIMS),
  encoding = 'ieee-p1363',
}: ProofParts = {}): string {
  const head = encode(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: shown, ...header }));
  const signed = `${head}.${encode(claims)}`;
  const hash = pair === ED25519 ? null : pair === P384 ? 'sha384' : 'sha256';
  const signature = sign(hash, Buffer.from(signed), { key: pair.privateKey, dsaEncoding: encoding });
  return `${signed}.${signature.toString('base64url')}`;
}

function encode(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url');
}

function publicJwk({ publicKey }: KeyPair): JsonWebKey {
  return publicKey.export({ format: 'jwk' });
}

/** Changes one character in the middle of a part. */
function withOtherPart(proof: string, part: number): string {
  const parts = proof.split('.');
  const text = parts[part] ?? '';
  const at = Math.floor(text.length / 2);
  parts[part] = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  return parts.join('.');
}

const ACCEPTED: Readonly<Record<string, string>> = {
  'an ordinary proof': makeProof(),
  'a proof of another algorithm': makeProof({ pair: ED25519, header: { alg: 'EdDSA' } }),
  'a proof with a type in capital letters': makeProof({ header: { typ: 'DPoP+JWT' } }),
  'a proof that is still valid': makeProof({ claims: JSON.stringify({ ...CLAIMS, exp: NOW_S + 60 }) }),
};

const REFUSED: Readonly<Record<string, string>> = {
  'a proof that another key has signed': makeProof({ shown: publicJwk(OTHER) }),
  'a proof with other claims': withOtherPart(makeProof(), 1),
  'a proof with another header': withOtherPart(makeProof(), 0),
  'a proof with another signature': withOtherPart(makeProof(), 2),
  'a proof whose signature is in ASN.1': makeProof({ encoding: 'der' }),
  'a proof without a signature': makeProof().replace(/[^.]+$/, ''),
  'a proof with characters that are not of base64url': `${makeProof()}!`,
  'a proof with a fourth part': `${makeProof()}.more`,
  'a proof with a parameter that must be understood': makeProof({ header: { crit: ['b64'], b64: false } }),
  'a proof with an unknown parameter that must be understood': makeProof({ header: { crit: ['other'], other: 1 } }),
  'a proof of another type': makeProof({ header: { typ: 'jwt' } }),
  'a proof without a type': makeProof({ header: { typ: undefined } }),
  'a proof without an algorithm': makeProof({ header: { alg: 'none' } }),
  'a proof with a key of another curve': makeProof({ pair: P384 }),
  'a proof with a key for encryption': makeProof({ shown: { ...publicJwk(P256), use: 'enc' } }),
  'a proof with a key for another algorithm': makeProof({ shown: { ...publicJwk(P256), alg: 'ES384' } }),
  'a proof with a private key': makeProof({ shown: P256.privateKey.export({ format: 'jwk' }) }),
  'a proof without a key': makeProof({ header: { jwk: undefined } }),
  'a proof that is no longer valid': makeProof({ claims: JSON.stringify({ ...CLAIMS, exp: NOW_S - 60 }) }),
  'a proof that is not valid yet': makeProof({ claims: JSON.stringify({ ...CLAIMS, nbf: NOW_S + 3600 }) }),
  'a proof with a list of claims': makeProof({ claims: '[]' }),
  'a proof whose claims are null': makeProof({ claims: 'null' }),
  'a proof whose claims are no JSON': makeProof({ claims: '{' }),
};

describe('the verification of a DPoP proof', () => {
  for (const [name, proof] of Object.entries(ACCEPTED)) {
    it(`accepts ${name}, with the same claims as jose`, async () => {
      const { payload, key } = await verifyProof(proof, new ProofKeys());
      assert.deepEqual(payload, (await verifyByJose(proof)).payload);
      assert.match(key.id, /^[\w-]{43}$/);
    });
  }

  for (const [name, proof] of Object.entries(REFUSED)) {
    it(`refuses ${name}, as jose does`, async () => {
      await assert.rejects(verifyByJose(proof));
      await assert.rejects(verifyProof(proof, new ProofKeys()));
    });
  }

  it('uses this thread for an ordinary proof', async () => {
    let handedOver = 0;
    const prototype = Object.getPrototypeOf(webcrypto.subtle);
    const restore = replacing(prototype, 'verify', (verify) => (...input: unknown[]) => {
      handedOver += 1;
      return verify.apply(webcrypto.subtle, input);
    })();
    try {
      await verifyProof(makeProof(), new ProofKeys());
      assert.equal(handedOver, 0);
      await verifyProof(makeProof({ pair: ED25519, header: { alg: 'EdDSA' } }), new ProofKeys());
      assert.equal(handedOver, 1);
    } finally {
      restore();
    }
  });
});

function verifyByJose(proof: string): ReturnType<typeof jwtVerify> {
  return jwtVerify(proof, new ProofKeys().resolve, { algorithms: [...APP_ALGORITHMS], typ: 'dpop+jwt' });
}
