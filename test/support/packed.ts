/** The packed package, as somebody would have it who installed it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** The compiler options that code has to be compiled with to be called good. */
export const STRICT = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  skipLibCheck: true,
  types: ['node'],
} as const;

/** Packing takes a second: once is enough for all tests of a process. */
let tarball: string | undefined;

function pack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return join(folder, packed.trim());
}

/**
 * A folder with the package beside links to what is installed here already, so that no registry is asked.
 * @param without a package, or the scope of packages, that is not there
 */
export function installed(without?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-'));
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'oidc-provider-qr-login');
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== without) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  tarball ??= pack();
  execFileSync('tar', ['-xzf', tarball, '-C', home, '--strip-components', '1']);
  return folder;
}

/** What the README's code leaves to the reader: good as TypeScript and as JavaScript. */
export function configurationAt(issuer: string): string {
  return `
export const issuer = '${issuer}';
export const accounts = new Map([['1', { name: 'Alice' }]]);
export const configuration = {
  cookies: { keys: ['a key that is long enough to sign with'] },
  features: { devInteractions: { enabled: false } },
};
`;
}
