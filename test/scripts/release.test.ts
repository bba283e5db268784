/** Checks what `npm run release` refuses. A release must have a name, and others must be able to build it again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

const SCRIPT = new URL('../../scripts/release.mjs', import.meta.url);

describe('a release', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    mkdirSync(join(folder, 'scripts'));
    copyFileSync(SCRIPT, join(folder, 'scripts/release.mjs'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "released", "version": "1.2.0" }');
    writeFileSync(join(folder, 'CHANGELOG.md'), '# Changelog\n\n## 1.2.0 (2027-03-01)\n');
    git('init', '-q');
    commit();
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is refused in a checkout with changes', () => {
    writeFileSync(join(folder, 'new.txt'), '');
    expect(release()).to.deep.equal({ status: 1, message: 'release: Commit your changes first.\n' });
  });

  it('is refused if the changelog does not begin with the version and a date', () => {
    for (const heading of ['Unreleased', '1.2.0', '1.2.01 (2027-03-01)']) {
      writeFileSync(join(folder, 'CHANGELOG.md'), `# Changelog\n\n## ${heading}\n\n## 1.2.0 (2027-03-01)\n`);
      commit();
      const { status, message } = release();
      expect(status).to.equal(1);
      expect(message).to.include('must be "## 1.2.0 (<date>)"').and.include(heading);
    }
  });

  it('is refused if the audit fails', () => {
    // There is no lock file, which an audit needs.
    const { status, message } = release();
    expect(status).to.equal(1);
    expect(message).to.match(/npm audit .* failed\.\n$/);
  });

  function git(...parameters: string[]): void {
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...parameters], { cwd: folder });
  }

  function commit(): void {
    git('add', '-A');
    git('commit', '-qm', 'change');
  }

  function release(): { readonly status: number | null; readonly message: string } {
    const { status, stderr } = spawnSync('node', ['scripts/release.mjs'], { cwd: folder, encoding: 'utf8' });
    return { status, message: stderr };
  }
});
