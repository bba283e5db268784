/** Reads the documentation for the tests that check it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './packed.ts';

export interface Block {
  readonly language: string;
  /** The file name, if the page states one after the language. */
  readonly file: string | undefined;
  /** The number of its first line in the page. */
  readonly line: number;
  readonly code: string;
}

export interface DocPage {
  /** The path from the root of the repository: `docs/options.md`. */
  readonly path: string;
  readonly text: string;
  /** The text without its blocks of code. */
  readonly prose: string;
  readonly blocks: readonly Block[];
}

const FENCED = /^```(\w*)(?: (\S+))?\n([\s\S]*?)^```$/gm;

export function docPage(path: string): DocPage {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const blocks = [...text.matchAll(FENCED)].map(
    ({ 1: language = '', 2: file, 3: code = '', index }): Block => ({
      language,
      file,
      code,
      line: text.slice(0, index).split('\n').length,
    }),
  );
  return { path, text, prose: text.replace(FENCED, ''), blocks };
}

/** Returns the pages for users of the package. Tests compile and run their code. */
export function guides(): DocPage[] {
  return [docPage('README.md'), ...namesIn('docs').map((name) => docPage(`docs/${name}`))];
}

export function allPages(): DocPage[] {
  const folders = ['.', 'docs', 'docs/decisions', 'docs/model'];
  return folders.flatMap((folder) => namesIn(folder).map((name) => docPage(join(folder, name))));
}

function namesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md'));
}

/**
 * Returns the text below a heading, up to the next heading of the same or a higher level.
 * @throws Error if there is no such heading
 */
export function section({ path, text }: DocPage, heading: string): string {
  const rank = heading.indexOf(' ');
  const [, below] = `\n${text}`.split(`\n${heading}\n`);
  if (below === undefined) throw new Error(`${path} has no "${heading}"`);
  return below.split(new RegExp(`^#{1,${rank}} `, 'm'))[0] ?? '';
}

/** Returns the code spans in the first column of the tables. */
export function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => String(name));
}
