/** The dependencies of the package run nothing at installation, and are pinned by the lock file. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const { packages }: { packages: Record<string, LockedPackage> } = read('package-lock.json');
const manifest: Manifest = read('package.json');
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('the dependencies of the package', () => {
  it('run no script at installation, nor does the package itself', () => {
    const own = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name));
    expect(own).to.deep.equal([]);
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).to.deep.equal([]);
  });

  it('are pinned by hash, also those for development and other systems, and name no source but npm’s registry', () => {
    expect(installed.length).to.be.greaterThan(Object.keys(manifest.dependencies).length);
    for (const [path, { integrity = '' }] of installed) expect(integrity, path).to.match(/^sha512-/);
    expect(withOtherSource(installed)).to.deep.equal([]);
    // The check would find such a package.
    const fromGit = { resolved: 'git+ssh://git@github.com/example/left.git#0123456' };
    expect(withOtherSource([...installed, ['node_modules/left', fromGit]])).to.deep.equal(['node_modules/left']);
  });
});

/**
 * Returns the paths of the packages that name another source than the npm registry. An entry may have no `resolved`:
 * npm then downloads from its configured registry, and still checks the hash.
 */
function withOtherSource(locked: readonly (readonly [path: string, entry: LockedPackage])[]): string[] {
  return locked
    .filter(([, { resolved }]) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'))
    .map(([path]) => path);
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
}
