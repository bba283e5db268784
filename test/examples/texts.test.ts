import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const VIEWS = new URL('../../examples/views/', import.meta.url);
const OURS = new URL('../../views/locales/', import.meta.url);

function textsOf(file: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`locales/${file}`, VIEWS), 'utf8'));
}

function placeholders(text = ''): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();
}

describe('the texts of the example’s own pages', () => {
  const english = textsOf('en.json');
  const files = readdirSync(new URL('locales', VIEWS));

  it('exist in each language of the plugin', () => {
    expect(files).to.have.members(readdirSync(OURS));
  });

  for (const file of files) {
    it(`are complete in ${file}, with the same placeholders`, () => {
      const texts = textsOf(file);
      expect(Object.keys(texts)).to.deep.equal(Object.keys(english));
      for (const [key, text] of Object.entries(texts)) {
        expect(placeholders(text), key).to.deep.equal(placeholders(english[key]));
        expect(text.trim(), key).not.to.equal('');
      }
    });
  }

  it('exist only in the locale files, and are all used', () => {
    const folder = new URL('pages/', VIEWS);
    const pages = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const plain = pages.map((page) => page.replace(/<%[\s\S]*?%>/g, '').replace(/<[^>]*>/g, ' ')).join('');
    expect(plain).not.to.match(/[a-z]{3}/i);
    const code = ['provider.ts', 'password-sign-in.ts', 'account-page.ts', 'mail-change.ts', 'home.ts'].map((file) =>
      readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8'),
    );
    const all = [...pages, ...code].join('\n');
    expect(Object.keys(english).filter((key) => !all.includes(`'${key}'`))).to.deep.equal([]);
  });
});
