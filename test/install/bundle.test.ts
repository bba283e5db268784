import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { install } from '../hosts/install.ts';
import { Child } from '../support/child.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { installPackage, ROOT } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { signInAt } from '../support/sign-in-at.ts';

describe('a bundle of the quick start with all its dependencies', () => {
  let [home, alone] = ['', ''];
  let port: number;

  before(async () => {
    home = installPackage();
    alone = mkdtempSync(join(tmpdir(), 'qr-login-bundle-'));
    port = await freePort();
    const program = readFileSync(join(ROOT, 'examples/minimal/provider.js'), 'utf8').replaceAll('3000', `${port}`);
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(home, 'provider.js'), program);
  });

  after(() => {
    for (const folder of [home, alone]) if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('has the pages, their files and their texts, and signs in', async () => {
    // Rolldown would warn about dependencies of Koa that call eval.
    const bundle = await rolldown({ input: join(home, 'provider.js'), platform: 'node', checks: { eval: false } });
    await bundle.write({ file: join(alone, 'bundle.mjs'), format: 'esm', codeSplitting: false });
    await bundle.close();
    await signInWith('bundle.mjs');
  });

  inFullSuite(() =>
    it('also signs in as a CommonJS bundle of esbuild', async () => {
      const program = join(install('esbuild', { esbuild: '0.25.12' }), 'node_modules/esbuild/bin/esbuild');
      const flags = ['--bundle', '--platform=node', '--format=cjs', '--log-level=error'];
      execFileSync(program, ['provider.js', ...flags, `--outfile=${join(alone, 'bundle.cjs')}`], { cwd: home });
      await signInWith('bundle.cjs');
    }),
  );

  /** Runs a bundle in a folder without node_modules, so that it can import nothing else, and signs in. */
  async function signInWith(file: string): Promise<void> {
    const ready = /^The provider is at /;
    const child = await Child.start(file, [process.execPath, file], { ready, cwd: alone });
    try {
      await signInAt(`http://localhost:${port}`);
    } finally {
      await child.end('SIGKILL');
    }
  }
});
