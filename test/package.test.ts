import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the README's code leaves to the reader. */
const CONFIGURATION = `
import type { Configuration } from 'oidc-provider';
export const issuer = 'https://op.example.com';
export const accounts = new Map([['1', { name: 'Alice' }]]);
export const configuration: Configuration = {
  cookies: { keys: ['a key that is long enough to sign with'] },
  features: { devInteractions: { enabled: false } },
};
`;

/** Where the package of passkeys lies, which is a peer that not everybody needs. */
const PASSKEYS = '@simplewebauthn';

const RUN = `
import { provider } from './provider.js';
const landing = await new Promise((resolve) => {
  const server = provider.listen(0, async () => {
    const response = await fetch('http://localhost:' + server.address().port + '/qr/nothing');
    server.close();
    resolve(response.status);
  });
});
console.log('landing', landing);
`;

describe('the package, packed and installed', function () {
  this.timeout(60_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qr-login-'));
    installInto(folder);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'configuration.ts'), CONFIGURATION);
    writeFileSync(join(folder, 'provider.ts'), readmeExample());
    writeFileSync(join(folder, 'run.js'), RUN);
  });

  after(() => rmSync(folder, { recursive: true }));

  it('compiles the code of the README', () => {
    const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--skipLibCheck', '--types', 'node'];
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), [...options, 'provider.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).to.equal('');
    expect(status).to.equal(0);
  });

  it('runs the code of the README, with its views and scripts', () => {
    const output = execFileSync(process.execPath, ['run.js'], { cwd: folder, encoding: 'utf8' });
    expect(output).to.include('landing 404');
  });

  it('has passkeys behind an entry of its own: only that one needs their package', () => {
    const use = `import { passkeys } from 'oidc-provider-qr-login/passkeys'; console.log(typeof passkeys);`;
    const run = (): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ['--input-type=module', '-e', use], { cwd: folder, encoding: 'utf8' });
    expect(`${run().stderr}`).to.include("Cannot find package '@simplewebauthn/server'");
    symlinkSync(join(ROOT, 'node_modules', PASSKEYS), join(folder, 'node_modules', PASSKEYS));
    expect(`${run().stdout}`).to.equal('function\n');
  });

  it('ships nothing but what runs', () => {
    const shipped = readdirSync(join(folder, 'node_modules/oidc-provider-qr-login'));
    expect(shipped).to.have.members(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'views']);
  });
});

/** The packed package beside links to what is installed here already, so that no registry is asked. */
function installInto(folder: string): void {
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'oidc-provider-qr-login');
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== PASSKEYS) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  execFileSync('tar', ['-xzf', join(folder, packed.trim()), '-C', home, '--strip-components', '1']);
}

/** The block of TypeScript in the README. */
function readmeExample(): string {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  if (code === undefined) throw new Error('the README has no TypeScript');
  return code;
}
