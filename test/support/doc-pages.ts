/** The documentation, as those read it who test what it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './packed.ts';

export interface Block {
  readonly language: string;
  /** The file that it is, where the page says so. */
  readonly file: string | undefined;
  /** Where it begins in the page. */
  readonly line: number;
  readonly code: string;
}

export interface DocPage {
  /** From the root: `docs/options.md`. */
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

/** Those that people read to use the package: what stands in them is compiled and run. */
export function guides(): DocPage[] {
  return [docPage('README.md'), ...namesIn('docs').map((name) => docPage(`docs/${name}`))];
}

export function allPages(): DocPage[] {
  const folders = ['.', 'docs', 'docs/decisions'];
  return folders.flatMap((folder) => namesIn(folder).map((name) => docPage(join(folder, name))));
}

function namesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md'));
}

/** What stands below a heading, up to the next one of its rank or above. */
export function section({ path, text }: DocPage, heading: string): string {
  const rank = heading.indexOf(' ');
  const [, below] = `\n${text}`.split(`\n${heading}\n`);
  if (below === undefined) throw new Error(`${path} has no "${heading}"`);
  return below.split(new RegExp(`^#{1,${rank}} `, 'm'))[0] ?? '';
}

/** What stands as code in the first column of the tables. */
export function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => String(name));
}
