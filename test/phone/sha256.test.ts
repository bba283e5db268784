import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { sha256 } from '../../src/phone/sha256.ts';
import { sizeOfSuite } from '../support/full-suite.ts';

const hashOf = (bytes: Uint8Array): string => Buffer.from(sha256(bytes)).toString('hex');
const expectedOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the SHA-256 of the library for apps', () => {
  it('has the values of the standard', () => {
    // FIPS 180-4, examples of NIST.
    expect(hashOf(Buffer.from('abc'))).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hashOf(new Uint8Array())).to.equal('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hashOf(Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))).to.equal(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    );
  });

  it('has the same result as Node at every length up to four blocks', () => {
    for (let length = 0; length <= 256; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => 7 * at + length);
      expect(hashOf(bytes), `${length} bytes`).to.equal(expectedOf(bytes));
    }
  });

  it('has the same result as Node for any bytes', () => {
    const anyBytes = fc.uint8Array({ maxLength: 5_000 });
    fc.assert(
      fc.property(anyBytes, (bytes) => hashOf(bytes) === expectedOf(bytes)),
      { numRuns: sizeOfSuite({ short: 100, full: 5_000 }) },
    );
  });
});
