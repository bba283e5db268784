/**
 * Builds earlier versions of the package in folders of their own, so that their nodes can run beside nodes of this
 * version.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './packed.ts';

/** The parts of the project that a node needs. */
const PARTS = ['src', 'views', 'scripts', 'test/fixtures', 'test/support', 'package.json', 'tsconfig.json'];
const OUTPUT_BYTES = 64 * 1024 * 1024;

export interface EarlierBuild {
  /** The root of the earlier version. */
  readonly folder: string;
  readonly remove: () => void;
}

/** Builds the last version whose records had no `format` field (docs/decisions/0050-record-format.md). */
export function buildBeforeFormats(): EarlierBuild {
  return build(readFileSync(join(ROOT, 'test/fixtures/earlier-build/before-formats.tar.gz')), '-xz');
}

/** Builds a commit of the history. */
export function buildCommit(commit: string): EarlierBuild {
  const archive = git('archive', commit, ...PARTS, 'tsconfig.build.json');
  return build(archive, '-x');
}

/** Returns the hash of the commit before this one, or undefined if this clone does not have it. */
export function findLastCommit(): string | undefined {
  try {
    return `${git('rev-parse', '--verify', '--quiet', 'HEAD~1^{commit}')}`.trim();
  } catch {
    return undefined;
  }
}

function git(...parameters: readonly string[]): Buffer {
  return execFileSync('git', parameters, { cwd: ROOT, maxBuffer: OUTPUT_BYTES });
}

/** Builds the sources in an archive. Its dependencies are those of this repository. */
function build(archive: Buffer, extract: string): EarlierBuild {
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-earlier-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync('tar', [extract, '-C', folder], { input: archive });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    execFileSync('npm', ['run', '-s', 'build'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
