import { expect } from 'chai';
import { formatMemory, parseMemory, remember, remembers } from '../../src/ticket/memory.ts';
import { SecretKeys } from '../../src/ticket/secret-keys.ts';
import { SECRETS } from './builders.ts';

const OLD = 'an old secret of at least thirty-two chars';
const keys = new SecretKeys(SECRETS);

describe("a browser's memory of the accounts that were signed in to it", () => {
  it('knows no account at first', () => {
    expect(remembers(keys, undefined, 'alice')).to.equal(false);
  });

  it('knows an account that was signed in, and no other', () => {
    const memory = remember(keys, undefined, 'alice');
    expect(remembers(keys, memory, 'alice')).to.equal(true);
    expect(remembers(keys, memory, 'bob')).to.equal(false);
    expect(remembers(keys, memory, '')).to.equal(false);
  });

  it('does not contain the name of an account', () => {
    expect(formatMemory(remember(keys, undefined, 'alice'))).not.to.include('alice');
  });

  it('is not valid in another browser', () => {
    const mine = remember(keys, undefined, 'alice');
    const other = remember(keys, undefined, 'bob');
    expect(mine.browserId).not.to.equal(other.browserId);
    expect(remembers(keys, { browserId: other.browserId, proofs: mine.proofs }, 'alice')).to.equal(false);
  });

  it('keeps its browser id and the other accounts when one more is signed in', () => {
    const first = remember(keys, undefined, 'alice');
    const both = remember(keys, first, 'bob');
    expect(both.browserId).to.equal(first.browserId);
    expect(remembers(keys, both, 'alice')).to.equal(true);
    expect(remembers(keys, both, 'bob')).to.equal(true);
  });

  it('contains an account only once, however often it is signed in', () => {
    const once = remember(keys, undefined, 'alice');
    expect(remember(keys, once, 'alice')).to.deep.equal(once);
  });

  it('contains at most five accounts, and drops the one that signed in longest ago', () => {
    let memory = remember(keys, undefined, 'first');
    for (const account of ['second', 'third', 'fourth', 'fifth', 'first', 'sixth']) {
      memory = remember(keys, memory, account);
    }
    const known = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].filter((account) =>
      remembers(keys, memory, account),
    );
    expect(known).to.deep.equal(['first', 'third', 'fourth', 'fifth', 'sixth']);
  });

  it('stays valid when a new secret is added, until the old one is removed', () => {
    const memory = remember(new SecretKeys([OLD]), undefined, 'alice');
    expect(remembers(new SecretKeys([...SECRETS, OLD]), memory, 'alice')).to.equal(true);
    expect(remembers(keys, memory, 'alice')).to.equal(false);
  });

  it('survives being written to its cookie and read again', () => {
    const memory = remember(keys, remember(keys, undefined, 'alice'), 'bob');
    expect(parseMemory(formatMemory(memory))).to.deep.equal(memory);
    expect(formatMemory(memory), 'fit for a cookie').to.match(/^[\w.-]+$/);
  });

  it('is undefined if the cookie contains no proofs', () => {
    expect(parseMemory('')).to.equal(undefined);
    expect(parseMemory('only-a-name')).to.equal(undefined);
  });

  it('reads at most five proofs, and does not accept an invalid one', () => {
    const memory = parseMemory(['name', ...Array.from({ length: 1000 }, () => 'rubbish')].join('.'));
    expect(memory?.proofs).to.have.length(5);
    expect(remembers(keys, memory, 'alice')).to.equal(false);
  });
});
