import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { Child } from '../support/child.ts';
import { installed, ROOT } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { signInAt } from '../support/sign-in-at.ts';

describe('a bundle of the quick start with all its dependencies', () => {
  let [home, alone] = ['', ''];

  before(() => {
    home = installed();
    alone = mkdtempSync(join(tmpdir(), 'qr-login-bundle-'));
  });

  after(() => {
    for (const folder of [home, alone]) if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('has the pages, their files and their texts, and signs in', async () => {
    const port = await freePort();
    const program = readFileSync(join(ROOT, 'examples/minimal/provider.js'), 'utf8').replaceAll('3000', `${port}`);
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(home, 'provider.js'), program);
    // Dependencies of Koa call eval, and Rolldown would warn about it.
    const bundle = await rolldown({ input: join(home, 'provider.js'), platform: 'node', checks: { eval: false } });
    // In a folder of its own, without node_modules: nothing but the bundle can be found.
    await bundle.write({ file: join(alone, 'bundle.mjs'), format: 'esm', codeSplitting: false });
    await bundle.close();
    const ready = /^The provider is at /;
    const child = await Child.start('bundle', [process.execPath, 'bundle.mjs'], { ready, cwd: alone });
    try {
      await signInAt(`http://localhost:${port}`);
    } finally {
      await child.end('SIGKILL');
    }
  });
});
