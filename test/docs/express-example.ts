/** oidc-provider's Express example, and the lines that the documentation adds to it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { docPage } from '../support/doc-pages.ts';
import { ROOT } from '../support/packed.ts';

/** Returns the diff in docs/express-example.md. @throws Error if the page does not have exactly one diff */
export function documentedDiff(): string {
  const [diff, more] = docPage('docs/express-example.md').blocks.filter(({ language }) => language === 'diff');
  if (diff === undefined || more !== undefined) throw new Error('the page must have one diff');
  return diff.code;
}

/** Writes the example into a folder, in its place beside oidc-provider's `lib`, and applies the diff. */
export function writeExample(folder: string): void {
  cpSync(join(ROOT, 'test/fixtures/express-example/example'), join(folder, 'example'), { recursive: true });
  mkdirSync(join(folder, 'lib'));
  writeFileSync(
    join(folder, 'lib/index.js'),
    "export * from 'oidc-provider';\nexport { default } from 'oidc-provider';\n",
  );
  // Outside of a repository, `git apply` changes the files of the current folder.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: folder };
  execFileSync('git', ['apply', '--whitespace=error-all', '-'], { cwd: folder, env, input: documentedDiff() });
}
