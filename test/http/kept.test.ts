import { expect } from 'chai';
import { Kept } from '../../src/http/request/bounded-cache.ts';

describe('what is kept of answers that many ask for', () => {
  it('is found once', () => {
    const { kept, asked } = counting();
    expect([kept.of('a'), kept.of('b'), kept.of('a')]).to.deep.equal(['A', 'B', 'A']);
    expect(asked).to.deep.equal(['a', 'b']);
  });

  it('is a thousand at most: the oldest goes', () => {
    const { kept, asked } = counting();
    for (let one = 0; one <= 1_000; one += 1) kept.of(`text ${one}`);
    asked.length = 0;
    kept.of('text 1');
    expect(asked).to.deep.equal([]);
    kept.of('text 0');
    expect(asked).to.deep.equal(['text 0']);
  });

  it('is none to a question that is longer than any browser’s', () => {
    const { kept, asked } = counting();
    const long = 'x'.repeat(513);
    kept.of(long);
    kept.of(long);
    expect(asked).to.have.lengthOf(2);
  });
});

function counting(): { kept: { of: (text: string) => string }; asked: string[] } {
  const asked: string[] = [];
  const kept = new Kept<string>();
  const find = (text: string): string => {
    asked.push(text);
    return text.toUpperCase();
  };
  return { kept: { of: (text) => kept.of(text, find) }, asked };
}
