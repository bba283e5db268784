import { expect } from 'chai';
import { fingerprint, matches, SecretKeys } from '../../src/ticket/secret-keys.ts';
import { SECRETS } from './builders.ts';

const OTHER = 'another secret of at least thirty-two characters';
const keys = new SecretKeys(SECRETS);

describe('with keys,', () => {
  it('a MAC for one purpose is not valid for another', () => {
    const purposes = ['code', 'check code', 'csrf', 'report'] as const;
    const macs = purposes.map((purpose) => keys.mac(purpose, 'the same').toString('hex'));
    expect(new Set(macs).size).to.equal(purposes.length);
  });

  it('a MAC is 32 bytes, always the same, and different under another secret', () => {
    expect(keys.mac('csrf', 'a')).to.have.length(32);
    expect(keys.mac('csrf', 'a')).to.deep.equal(new SecretKeys(SECRETS).mac('csrf', 'a'));
    expect(keys.mac('csrf', 'a')).not.to.deep.equal(new SecretKeys([OTHER]).mac('csrf', 'a'));
  });

  it('the parts of a message are separated', () => {
    const macs = [
      keys.mac('csrf', 'a', 'bc'),
      keys.mac('csrf', 'ab', 'c'),
      keys.mac('csrf', 'abc'),
      keys.mac('csrf', 'a","bc'),
      keys.mac('csrf', 'a', 'bc', ''),
    ];
    expect(new Set(macs.map((mac) => mac.toString('hex'))).size).to.equal(macs.length);
  });

  it('a sealed text is opened for its record alone, and not if it was changed', () => {
    const sealed = keys.seal('ticket', 'the id of a request');
    expect(sealed)
      .to.match(/^[\w-]+$/)
      .and.not.to.equal(keys.seal('ticket', 'the id of a request'));
    expect(keys.unseal('ticket', sealed)).to.equal('the id of a request');
    expect(keys.unseal('another ticket', sealed)).to.equal(undefined);
    const other = sealed.startsWith('A') ? `B${sealed.slice(1)}` : `A${sealed.slice(1)}`;
    for (const wrong of [other, sealed.slice(0, -2), '', 'short'])
      expect(keys.unseal('ticket', wrong)).to.equal(undefined);
  });

  it('a text that an older secret has sealed is opened, but not one that an unknown secret has sealed', () => {
    const sealed = keys.seal('ticket', 'text');
    expect(new SecretKeys([OTHER, ...SECRETS]).unseal('ticket', sealed)).to.equal('text');
    expect(new SecretKeys([OTHER]).unseal('ticket', sealed)).to.equal(undefined);
  });

  it('the first secret signs and every secret verifies', () => {
    const both = new SecretKeys([OTHER, ...SECRETS]);
    expect(both.mac('csrf', 'a')).to.deep.equal(new SecretKeys([OTHER]).mac('csrf', 'a'));
    expect(both.candidates('csrf', 'a')).to.deep.equal([
      new SecretKeys([OTHER]).mac('csrf', 'a'),
      keys.mac('csrf', 'a'),
    ]);
  });

  it('nothing can be signed or verified if there is no secret', () => {
    const none = new SecretKeys([]);
    expect(() => none.mac('csrf', 'a')).to.throw(TypeError, 'no secret');
    expect(none.candidates('csrf', 'a')).to.deep.equal([]);
  });

  it('an unknown purpose has no key', () => {
    expect(() => keys.mac('unheard of' as 'csrf', 'a')).to.throw(TypeError);
  });
});

describe('comparing with a received value', () => {
  it('accepts each of the candidates', () => {
    expect(matches(['a', 'b'], 'a')).to.equal(true);
    expect(matches(['a', 'b'], 'b')).to.equal(true);
    expect(matches([Buffer.from('a')], Buffer.from('a'))).to.equal(true);
  });

  it('accepts no other value of any length', () => {
    for (const given of ['', 'c', 'ab', 'aa', 'A']) expect(matches(['a', 'b'], given), given).to.equal(false);
    expect(matches([], 'a')).to.equal(false);
  });
});

describe('the fingerprint of a secret', () => {
  it('is its SHA-256', () => {
    expect(fingerprint('abc')).to.equal('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  });
});
