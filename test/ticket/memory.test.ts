import { expect } from 'chai';
import { Keys } from '../../src/ticket/keys.ts';
import { formatMemory, parseMemory, remember, remembers } from '../../src/ticket/memory.ts';
import { SECRETS } from './builders.ts';

const OLD = 'an old secret of at least thirty-two chars';
const keys = new Keys(SECRETS);

describe("a browser's memory of who was signed in to it", () => {
  it('knows nobody at first', () => {
    expect(remembers(keys, undefined, 'alice')).to.equal(false);
  });

  it('knows an account once it was signed in, and no other', () => {
    const memory = remember(keys, undefined, 'alice');
    expect(remembers(keys, memory, 'alice')).to.equal(true);
    expect(remembers(keys, memory, 'bob')).to.equal(false);
    expect(remembers(keys, memory, '')).to.equal(false);
  });

  it('names no account', () => {
    expect(formatMemory(remember(keys, undefined, 'alice'))).not.to.include('alice');
  });

  it('belongs to one browser: its proofs are worth nothing in another', () => {
    const mine = remember(keys, undefined, 'alice');
    const other = remember(keys, undefined, 'bob');
    expect(mine.browserId).not.to.equal(other.browserId);
    expect(remembers(keys, { browserId: other.browserId, proofs: mine.proofs }, 'alice')).to.equal(false);
  });

  it('keeps its name and the others when one more is signed in', () => {
    const first = remember(keys, undefined, 'alice');
    const both = remember(keys, first, 'bob');
    expect(both.browserId).to.equal(first.browserId);
    expect(remembers(keys, both, 'alice')).to.equal(true);
    expect(remembers(keys, both, 'bob')).to.equal(true);
  });

  it('holds an account once, however often it is signed in', () => {
    const once = remember(keys, undefined, 'alice');
    expect(remember(keys, once, 'alice')).to.deep.equal(once);
  });

  it('holds five accounts; the one that was away longest goes', () => {
    let memory = remember(keys, undefined, 'first');
    for (const account of ['second', 'third', 'fourth', 'fifth', 'first', 'sixth']) {
      memory = remember(keys, memory, account);
    }
    const known = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].filter((account) =>
      remembers(keys, memory, account),
    );
    expect(known).to.deep.equal(['first', 'third', 'fourth', 'fifth', 'sixth']);
  });

  it('outlives a new secret in front of the old one, but not the end of the old one', () => {
    const memory = remember(new Keys([OLD]), undefined, 'alice');
    expect(remembers(new Keys([...SECRETS, OLD]), memory, 'alice')).to.equal(true);
    expect(remembers(keys, memory, 'alice')).to.equal(false);
  });

  it('comes back from its cookie as it went in', () => {
    const memory = remember(keys, remember(keys, undefined, 'alice'), 'bob');
    expect(parseMemory(formatMemory(memory))).to.deep.equal(memory);
    expect(formatMemory(memory), 'fit for a cookie').to.match(/^[\w.-]+$/);
  });

  it('is nothing where the cookie holds none', () => {
    expect(parseMemory('')).to.equal(undefined);
    expect(parseMemory('only-a-name')).to.equal(undefined);
  });

  it('reads five proofs at most, and rubbish proves nothing', () => {
    const memory = parseMemory(['name', ...Array.from({ length: 1000 }, () => 'rubbish')].join('.'));
    expect(memory?.proofs).to.have.length(5);
    expect(remembers(keys, memory, 'alice')).to.equal(false);
  });
});
