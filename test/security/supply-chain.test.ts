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

  it('are pinned by hash for development and all systems, and come only from the registry', () => {
    expect(installed.length).to.be.greaterThan(Object.keys(manifest.dependencies).length);
    for (const [path, { resolved, integrity = '' }] of installed) {
      expect(integrity, path).to.match(/^sha512-/);
      // Without `resolved`, npm uses the registry that it is configured for.
      expect(resolved ?? 'https://registry.npmjs.org/', path).to.match(/^https:\/\/registry\.npmjs\.org\//);
    }
  });
});

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
}
