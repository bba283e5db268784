import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = read('docs/troubleshooting.md');
const SOURCES = sourcesIn('src');
const LETTERS = /\p{L}/gu;

/** The first sections are of our own messages, the others of what is around us. */
const OURS = ['At start-up', 'While it runs', 'Refusals', "In the browser's console"];
const FROM_PROVIDER = 'From oidc-provider';

/** What throws, or warns with, a text that somebody may meet. */
const TELLS = /\b(?:new (?:TypeError|Error|QrLoginError|ProofRefused)|emitWarning|super)\(\s*(?:'\w+',\s*)?/g;
/** The field in which oidc-provider's errors have theirs. */
const DESCRIPTION = /\berror_description = '([^']+)'/g;

describe('the page on troubleshooting', () => {
  const thrown = [...new Set(SOURCES.flatMap(messagesIn))];
  const quoted = OURS.flatMap((section) => quotedIn(sectionOf(section)));

  it('finds the messages in the source', () => {
    expect(thrown).to.include('store must be a Keyv: new Keyv()');
    expect(thrown).to.include('… must be a number of seconds from 1 to …, not …');
    expect(thrown).to.include('That was too often. Try again in … seconds.');
    expect(thrown).to.include('the store is out of reach, try again in a moment');
    expect(thrown.length).to.be.above(80);
  });

  it('has each message that the source can throw or warn with', () => {
    const missing = thrown.filter((message) => !quoted.some((text) => matches(text, message)));
    expect(missing).to.deep.equal([]);
  });

  it('quotes no message that the source has not', () => {
    const invented = quoted.filter((text) => !thrown.some((message) => matches(text, message)));
    expect(invented).to.deep.equal([]);
  });

  it('has the code of each warning', () => {
    const codes = SOURCES.flatMap((source) => [...source.matchAll(/'(QR_LOGIN_\w+)'/g)].map(([, code]) => code));
    expect(codes).not.to.be.empty;
    expect([...new Set(PAGE.match(/QR_LOGIN_\w+/g))]).to.have.members([...new Set(codes)]);
  });

  it('has each code of a refusal with its status and the sentence on the page', () => {
    const texts = JSON.parse(read('views/locales/en.json'));
    const [, statuses = ''] = /const STATUS\b[^{]*\{([^}]*)\}/.exec(read('src/http/errors.ts')) ?? [];
    const expected = [...statuses.matchAll(/(\w+): (\d{3})/g)].map(([, code, status]) => {
      const sentence = texts[`error.${code}`];
      return `| \`${code}\` | ${status} | ${sentence.other ?? sentence} |`;
    });
    expect(expected).to.have.length.above(20);
    expect(PAGE.match(/^\| `\w+` \| \d{3} \| .*\|$/gm)).to.have.members(expected);
  });

  it('says beside each message of a refusal the code that it has', () => {
    const rows = [...sectionOf('Refusals').matchAll(/^\| `(\w+)` \| `([^`]+)`/gm)];
    expect(rows).to.have.length.above(30);
    for (const [, code, text = ''] of rows) {
      const codes = SOURCES.flatMap((source) => codesOf(source, text));
      expect(codes, text).to.include(code);
    }
  });

  it('quotes what the pages say as they say it', () => {
    const texts = new Set(Object.values<unknown>(JSON.parse(read('views/locales/en.json'))));
    const [, camera = ''] = /### The camera[^\n]*\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
    const said = [...camera.matchAll(/^\| (?!the page says|-)([^|]+) \|/gm)].map(([, sentence]) => sentence);
    expect(said).to.have.length(6);
    for (const sentence of said) expect(texts.has(sentence), sentence).to.equal(true);
  });

  it('quotes oidc-provider as the one that is installed speaks', () => {
    const lib = sourcesIn('node_modules/oidc-provider/lib').join('\n').replaceAll("\\'", "'");
    const rows = quotedIn(sectionOf(FROM_PROVIDER));
    expect(rows).to.have.length.above(8);
    for (const text of rows) expect(lib, text).to.include(text);
  });
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function sourcesIn(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /(?<!\.d)\.[jt]s$/.test(file)).map((file) => read(join(folder, file)));
}

/** A section of the page, without its headings. */
function sectionOf(heading: string): string {
  const [, rest = ''] = PAGE.split(`\n## ${heading}\n`);
  expect(rest, heading).not.to.equal('');
  const [section = ''] = rest.split('\n## ');
  return section;
}

/**
 * The messages in a section: the code spans that begin a row, or follow its code; what Node says is marked as such. And the one that
 * stands in a paragraph, on a line of its own.
 */
function quotedIn(section: string): string[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.flatMap((row) =>
    [...row.matchAll(/(?<=^\| (?:`\w+` \| )?)`([^`]+)`/g)].map(([, text = '']) => text),
  );
  const alone = [...section.matchAll(/^`([^`]+)` and /gm)].map(([, text = '']) => text);
  return [...cells, ...alone].filter((text) => /\s/.test(text));
}

/** What a source throws or warns with; `…` stands for what is not known before. */
function messagesIn(source: string): string[] {
  const told = [...source.matchAll(TELLS)].map(({ index, 0: call }) => literalAt(source, index + call.length));
  const described = [...source.matchAll(DESCRIPTION)].map(([, text]) => text);
  return [...told, ...described]
    .filter((text) => text !== undefined)
    .filter((text) => (text.match(LETTERS) ?? []).length > 5);
}

/** The codes that errors with this message have in a source. */
function codesOf(source: string, text: string): string[] {
  const calls = [...source.matchAll(/(?:new QrLoginError|super)\(\s*'(\w+)',\s*/g)];
  return calls.flatMap(({ index, 0: call, 1: code = '' }) => {
    const message = literalAt(source, index + call.length);
    return message !== undefined && matches(text, message) ? [code] : [];
  });
}

/** The text that stands in a source at this place; undefined where something else does. */
function literalAt(source: string, start: number): string | undefined {
  const quote = source[start];
  if (quote === undefined || !['"', "'", '`'].includes(quote)) return undefined;
  let text = '';
  for (let at = start + 1; source[at] !== quote; at++) {
    if (quote === '`' && source.startsWith('${', at)) {
      text += '…';
      at = endOfBraces(source, at + 1);
    } else text += source[at] === '\\' ? source[++at] : source[at];
  }
  return text;
}

/** @param start where the first brace opens */
function endOfBraces(source: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    if (source[at] === '{') depth += 1;
    if (source[at] === '}') depth -= 1;
    at += 1;
  } while (depth > 0);
  return at - 1;
}

/** Whether this is the message, as it is or with something in the place of what differs. */
function matches(quoted: string, message: string): boolean {
  const parts = message.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(quoted);
}
