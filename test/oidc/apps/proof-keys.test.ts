import { expect } from 'chai';
import { exportJWK } from 'jose';
import { ProofKeys } from '../../../src/oidc/apps/proof-keys.ts';
import { makeAppKey, rejection } from './proofs.ts';

describe('the keys in the headers of proofs', () => {
  it('are imported once, and have their thumbprints as ids', async () => {
    const keys = new ProofKeys();
    const { jwk, id } = await makeAppKey();
    const header = { alg: 'ES256', jwk };
    const first = await keys.resolve(header, { payload: '', signature: '' });
    expect(await keys.resolve({ ...header }, { payload: '', signature: '' })).to.equal(first);
    expect((await keys.find(header)).id).to.equal(id);
  });

  it('are refused each time if they are private or not keys at all', async () => {
    const keys = new ProofKeys();
    const { privateKey } = await makeAppKey();
    for (const jwk of [await exportJWK(privateKey), { kty: 'oct', k: 'AAAA' }, { kty: 'EC' }]) {
      for (let times = 0; times < 2; times++) {
        expect(await rejection(keys.find({ alg: 'ES256', jwk }))).to.be.instanceOf(Error);
      }
    }
  });
});
