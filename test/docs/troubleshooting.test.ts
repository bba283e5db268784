import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = read('docs/troubleshooting.md');
const SOURCES = sourcesIn('src');
const LETTERS = /\p{L}/gu;

/** The sections with the plugin's own messages. The other sections are about messages of other programs. */
const OURS = ['At start-up', 'While it runs', 'Refusals', "In the browser's console", 'In an app'];
const FROM_PROVIDER = 'From oidc-provider';

/** Calls that throw an error or emit a warning with a message. */
const MESSAGE_CALLS =
  /\b(?:new (?:TypeError|RangeError|Error|QrLoginError|ProofRefused|WiringFault|PhoneError)|emitWarning|super)\(\s*(?:(?:'\w+'|code),\s*)?/g;
/**
 * Matches the characters before a string in a source file with a schema. {@link SCHEMA_MESSAGE} selects the messages
 * among the strings.
 */
const STRING_START = /(?:=>|=|,|\()\s*(?=['"`])/g;
const SCHEMA_MESSAGE = /must be|must have|there is no|needs options/;
/** The field with the message of oidc-provider's errors. */
const DESCRIPTION = /\berror_description = '([^']+)'/g;

describe('the troubleshooting page', () => {
  const thrown = [...new Set(SOURCES.flatMap(messagesIn))];
  const quoted = OURS.flatMap((section) => quotedIn(sectionOf(section)));

  it('is compared with a non-empty list of the messages in the source', () => {
    expect(thrown).to.include('name must be a text that is not empty');
    expect(thrown).to.include('… must be a number of seconds from 1 to …, not …');
    expect(thrown).to.include('That was too often. Try again in … seconds.');
    expect(thrown).to.include('the store is out of reach, try again in a moment');
    expect(thrown.length).to.be.above(80);
  });

  it('has each message that the source can throw or warn with', () => {
    const missing = thrown.filter((message) => !quoted.some((text) => matches(text, message)));
    expect(missing).to.deep.equal([]);
  });

  it('quotes no message that the source does not have', () => {
    const invented = quoted.filter((text) => !thrown.some((message) => matches(text, message)));
    expect(invented).to.deep.equal([]);
  });

  it('has the code of each warning', () => {
    const codes = SOURCES.flatMap((source) => [...source.matchAll(/'(QR_LOGIN_\w+)'/g)].map(([, code]) => code));
    expect(codes).not.to.be.empty;
    expect([...new Set(PAGE.match(/QR_LOGIN_\w+/g))]).to.have.members([...new Set(codes)]);
  });

  it('lists each error code with its status and its text on the error page', () => {
    const texts = JSON.parse(read('views/locales/en.json'));
    const [, statuses = ''] = /const STATUS\b[^{]*\{([^}]*)\}/.exec(read('src/http/errors.ts')) ?? [];
    const expected = [...statuses.matchAll(/(\w+): (\d{3})/g)].map(([, code, status]) => {
      const sentence = texts[`error.${code}`];
      return `| \`${code}\` | ${status} | ${sentence.other ?? sentence} |`;
    });
    expect(expected).to.have.length.above(20);
    expect(PAGE.match(/^\| `\w+` \| \d{3} \| .*\|$/gm)).to.have.members(expected);
  });

  it('states the right code for each error message', () => {
    const rows = [...sectionOf('Refusals').matchAll(/^\| `(\w+)` \| `([^`]+)`/gm)];
    expect(rows).to.have.length.above(30);
    for (const [, code, text = ''] of rows) {
      const codes = SOURCES.flatMap((source) => codesOf(source, text));
      expect(codes, text).to.include(code);
    }
  });

  it('quotes the texts of the pages exactly', () => {
    const texts = new Set(Object.values<unknown>(JSON.parse(read('views/locales/en.json'))));
    const [, camera = ''] = /### The camera[^\n]*\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
    const sentences = [...camera.matchAll(/^\| (?!the page says|-)([^|]+) \|/gm)].map(([, sentence]) => sentence);
    expect(sentences).to.have.length(6);
    for (const sentence of sentences) expect(texts.has(sentence), sentence).to.equal(true);
  });

  it('quotes the messages of the installed oidc-provider exactly', () => {
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
  // The contract of stores is a test suite, so the plugin never shows its messages.
  const shown = files.filter((file) => /(?<!\.d)\.[jt]s$/.test(file) && !file.startsWith('stores/contract/'));
  return shown.map((file) => read(join(folder, file)));
}

/** Returns a section of the page without its heading. */
function sectionOf(heading: string): string {
  const [, rest = ''] = PAGE.split(`\n## ${heading}\n`);
  expect(rest, heading).not.to.equal('');
  const [section = ''] = rest.split('\n## ');
  return section;
}

/**
 * Returns the messages that a section quotes: code spans at the beginning of a table row, or after the error code
 * there, and a code span that begins a line of a paragraph and is followed by "and". Messages of Node are left out:
 * their rows begin with "Node:". A single word is a message if it ends with a full stop, and otherwise a code.
 */
function quotedIn(section: string): string[] {
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.flatMap((row) =>
    [...row.matchAll(/(?<=^\| (?:`\w+` \| )?)`([^`]+)`/g)].map(([, text = '']) => text),
  );
  const alone = [...section.matchAll(/^`([^`]+)` and /gm)].map(([, text = '']) => text);
  return [...cells, ...alone].filter((text) => /\s|\w\.$/.test(text));
}

/** Returns the messages that a source throws or warns with. `…` stands for parts that are inserted at run time. */
function messagesIn(source: string): string[] {
  const literals = [...source.matchAll(MESSAGE_CALLS)].map(({ index, 0: call }) =>
    literalAt(source, index + call.length),
  );
  const described = [...source.matchAll(DESCRIPTION)].map(([, text]) => text);
  return [...literals, ...described, ...schemaMessagesIn(source)]
    .filter((text) => text !== undefined)
    .filter((text) => (text.match(LETTERS) ?? []).length > 5);
}

/** Returns the messages for wrong options, which a schema contains. */
function schemaMessagesIn(source: string): string[] {
  if (!source.includes("from 'valibot'")) return [];
  return [...source.matchAll(STRING_START)].flatMap(({ index, 0: before }) => {
    const text = literalAt(source, index + before.length);
    return text !== undefined && SCHEMA_MESSAGE.test(text) ? [text] : [];
  });
}

/** Returns the codes of the errors with this message in a source. */
function codesOf(source: string, text: string): string[] {
  const calls = [...source.matchAll(/(?:new QrLoginError|super)\(\s*'(\w+)',\s*/g)];
  return calls.flatMap(({ index, 0: call, 1: code = '' }) => {
    const message = literalAt(source, index + call.length);
    return message !== undefined && matches(text, message) ? [code] : [];
  });
}

/** Returns the value of the string literal at this position of a source, or undefined if there is none. */
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

/** Returns the position of the brace that closes the one at `start`. */
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

/** Returns true if the quoted text is the message, with any text in place of each `…`. */
function matches(quoted: string, message: string): boolean {
  const parts = message.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(quoted);
}
