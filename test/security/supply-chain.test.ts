/** What comes along with the package runs nothing when it is installed, and is what the lock file says. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const { packages }: { packages: Record<string, Locked> } = read('package-lock.json');
const manifest: Manifest = read('package.json');
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('what comes along with the package', () => {
  it('runs no script when it is installed, neither the package nor anything below it', () => {
    const own = Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name));
    expect(own).to.deep.equal([]);
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).to.deep.equal([]);
  });

  it('is pinned by the lock file by its hash, also for development and on other systems, and comes from a registry only', () => {
    expect(installed.length).to.be.greaterThan(Object.keys(manifest.dependencies).length);
    for (const [path, { resolved, integrity = '' }] of installed) {
      expect(integrity, path).to.match(/^sha512-/);
      // Where nothing is said, it is the registry that npm is set to.
      expect(resolved ?? 'https://registry.npmjs.org/', path).to.match(/^https:\/\/registry\.npmjs\.org\//);
    }
  });
});

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
}
