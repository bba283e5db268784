import { expect } from 'chai';
import { BoundedCache } from '../../../src/http/request/bounded-cache.ts';

describe('a bounded cache', () => {
  it('computes a value once', () => {
    const { look, computed } = cacheThatCounts();
    expect([look('a'), look('b'), look('a')]).to.deep.equal(['A', 'B', 'A']);
    expect(computed).to.deep.equal(['a', 'b']);
  });

  it('holds a thousand entries and drops the oldest', () => {
    const { look, computed } = cacheThatCounts();
    for (let entry = 0; entry <= 1_000; entry += 1) look(`text ${entry}`);
    computed.length = 0;
    look('text 1');
    expect(computed).to.deep.equal([]);
    look('text 0');
    expect(computed).to.deep.equal(['text 0']);
  });

  it('does not hold a text of more than 512 characters', () => {
    const { look, computed } = cacheThatCounts();
    const long = 'x'.repeat(513);
    look(long);
    look(long);
    expect(computed).to.have.lengthOf(2);
  });
});

function cacheThatCounts(): { look: (text: string) => string; computed: string[] } {
  const computed: string[] = [];
  const cache = new BoundedCache<string>();
  const compute = (text: string): string => {
    computed.push(text);
    return text.toUpperCase();
  };
  return { look: (text) => cache.getOrCompute(text, compute), computed };
}
