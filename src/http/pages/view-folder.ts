import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

/**
 * A text in one language: a string, or strings by the plural category of `{count}` (Unicode CLDR), at least `other`.
 */
export type Text = string | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string });

/** The texts of one language, by key. */
export type Texts = Readonly<Record<string, Text>>;

/** The content of a folder of views. Each part may be empty. */
export interface ViewFolder {
  /** `pages/*.eta`: templates and partials, by name. */
  readonly pages: ReadonlyMap<string, string>;
  /** `locales/*.json`: texts, by language tag. */
  readonly locales: ReadonlyMap<string, Texts>;
  /** `assets/*`: files that pages load, by name. */
  readonly assets: ReadonlyMap<string, Buffer>;
}

const PARTS = ['pages', 'locales', 'assets'];
/** The file names that an asset's URL allows. */
const ASSET = /^[\w-]+(\.[\w-]+)+$/;

/**
 * Reads a folder of views.
 * @throws TypeError if the folder is not valid; the message says what is allowed
 */
export function readViewFolder(folder: string): ViewFolder {
  const parts = namesIn(folder);
  const other = parts.find((part) => !PARTS.includes(part));
  if (other !== undefined) {
    throw new TypeError(`there is "${other}" in the folder of views ${folder}; it may hold ${PARTS.join(', ')}`);
  }
  if (parts.length === 0) throw new TypeError(`the folder of views ${folder} holds none of ${PARTS.join(', ')}`);
  const filesOf = (part: string, is: (file: string) => boolean, must: string): Map<string, Buffer> =>
    parts.includes(part) ? filesIn(join(folder, part), is, must) : new Map();
  const pages = filesOf('pages', (file) => extname(file) === '.eta', 'names that end with .eta');
  const locales = filesOf('locales', isLanguage, 'languages (BCP 47) as names, such as it.json');
  return {
    pages: new Map([...pages].map(([file, content]) => [basename(file, '.eta'), `${content}`])),
    locales: new Map([...locales].map(([file, content]) => [basename(file, '.json'), parseTexts(file, `${content}`)])),
    assets: filesOf('assets', (file) => ASSET.test(file), 'names of letters, digits, "-", "_" and "."'),
  };
}

function namesIn(folder: string): string[] {
  try {
    // Ignore hidden files, such as those that file managers create.
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    throw new TypeError(`views must be a folder that can be read, not ${folder}`, { cause });
  }
}

function filesIn(folder: string, is: (file: string) => boolean, must: string): Map<string, Buffer> {
  const files = namesIn(folder);
  const wrong = files.find((file) => !is(file));
  if (wrong !== undefined) throw new TypeError(`${join(folder, wrong)}: the files here must have ${must}`);
  return new Map(files.map((file) => [file, contentOf(join(folder, file))]));
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TypeError(`${file} is in a folder of views and cannot be read as a file`, { cause });
  }
}

function isLanguage(file: string): boolean {
  if (extname(file) !== '.json') return false;
  try {
    return Intl.getCanonicalLocales(basename(file, '.json')).length === 1;
  } catch {
    return false;
  }
}

/**
 * Reads a locale file.
 * @throws TypeError if it holds anything but texts
 */
export function parseTexts(file: string, content: string): Texts {
  const texts: unknown = parseJson(file, content);
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts))
    throw new TypeError(`${file} must hold an object of texts`);
  const entries = Object.entries(texts);
  const wrong = entries.find(([, text]) => !isText(text));
  if (wrong !== undefined) {
    throw new TypeError(`${file}: "${wrong[0]}" must be a text, or texts by plural category with "other" among them`);
  }
  return Object.fromEntries(entries);
}

function parseJson(file: string, content: string): unknown {
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new TypeError(`${file} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function isText(text: unknown): text is Text {
  if (typeof text === 'string') return true;
  if (typeof text !== 'object' || text === null || !('other' in text)) return false;
  return Object.values(text).every((form) => typeof form === 'string');
}
