import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ProofVerifier } from '../../../src/oidc/apps/dpop-proof.ts';
import { type AppKey, hashToken, makeAppKey, rejection, signClaims } from './proofs.ts';

const TOKEN = 'an access token';
const NOW = Date.UTC(2026, 0, 1);
const REQUEST = { method: 'POST', url: 'https://op.example/qr/api/scans', accessToken: TOKEN, now: NOW };

describe('the DPoP proof of an app', () => {
  const verifier = new ProofVerifier();
  let key: AppKey;

  before(async () => {
    key = await makeAppKey();
  });

  const claims = (): Record<string, unknown> => ({
    htm: 'POST',
    htu: REQUEST.url,
    ath: hashToken(TOKEN),
    iat: NOW / 1000,
    jti: randomUUID(),
  });
  const proofWith = (change: object, header: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    signClaims(key, 'dpop+jwt', { ...claims(), ...change }, header);

  it('contains the thumbprint of the key, and the nonce and the jti for the later checks', async () => {
    const jti = randomUUID();
    const proof = await proofWith({ jti, nonce: 'a nonce' });
    expect(await verifier.verify(proof, REQUEST)).to.deep.equal({ keyId: key.id, jti, nonce: 'a nonce' });
  });

  it('is accepted if its URL has a query, a fragment or capital letters in the host', async () => {
    for (const htu of [`${REQUEST.url}?a=b#c`, 'https://OP.example:443/qr/api/scans']) {
      expect((await verifier.verify(await proofWith({ htu }), REQUEST)).keyId).to.equal(key.id);
    }
  });

  const WRONG: Readonly<Record<string, object>> = {
    'another method': { htm: 'GET' },
    'another path': { htu: 'https://op.example/qr/api/browsers' },
    'another host': { htu: 'https://evil.example/qr/api/scans' },
    'another token': { ath: hashToken('another token') },
    'no token': { ath: undefined },
    'a time of six minutes ago': { iat: NOW / 1000 - 360 },
    'a time of six minutes ahead': { iat: NOW / 1000 + 360 },
    'no time': { iat: undefined },
    'a short jti': { jti: 'seven..' },
    'no jti': { jti: undefined },
    'a nonce that is no text': { nonce: 7 },
  };
  for (const [what, change] of Object.entries(WRONG)) {
    it(`is refused with ${what}`, async () => {
      expect((await rejection(verifier.verify(await proofWith(change), REQUEST))).code).to.equal('invalid_dpop_proof');
    });
  }

  it('is refused if it is not a JWT, has another type or no key, or is signed with another key', async () => {
    const other = await makeAppKey();
    for (const proof of [
      'no JWT',
      await signClaims(key, 'JWT', claims()),
      await proofWith({}, { jwk: undefined }),
      await proofWith({}, { jwk: other.jwk }),
    ]) {
      expect((await rejection(verifier.verify(proof, REQUEST))).code, proof).to.equal('invalid_dpop_proof');
    }
  });
});
