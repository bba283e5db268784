/** Packs the package and installs it into a folder, as npm would. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** The compiler options with which code must compile. */
export const STRICT = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  skipLibCheck: true,
  types: ['node'],
} as const;

/** The packed package. Packing takes a second, so it is done only once per process. */
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

/** Returns the path of the packed package. */
export function packedFile(): string {
  tarball ??= pack();
  return tarball;
}

/**
 * Returns a folder with the installed package. Its dependencies are links to those of this repository, so that no
 * registry is needed.
 * @param without a package, or a scope of packages, to leave out
 */
export function installPackage(without?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-'));
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'oidc-provider-qr-login');
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== without) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  execFileSync('tar', ['-xzf', packedFile(), '-C', home, '--strip-components', '1']);
  return folder;
}

/** Returns the definitions that the README's code leaves to the reader, valid as TypeScript and as JavaScript. */
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
