import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { docPage } from './support/doc-pages.ts';
import { configurationAt, installPackage, ROOT, STRICT } from './support/packed.ts';

/** The npm scope of the optional peer dependency for passkeys. */
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

describe('the package, packed and installed', () => {
  let folder: string;

  before(() => {
    folder = installPackage(PASSKEYS);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'configuration.ts'), configurationAt('https://op.example.com'));
    writeFileSync(join(folder, 'provider.ts'), readmeExample());
    writeFileSync(join(folder, 'run.js'), RUN);
    const project = { compilerOptions: STRICT, files: ['provider.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('compiles the code of the README', () => {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', '.'], {
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

  it('has a separate entry for passkeys, and only that entry needs @simplewebauthn/server', () => {
    const use = `import { passkeys } from 'oidc-provider-qr-login/passkeys'; console.log(typeof passkeys);`;
    const run = (): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ['--input-type=module', '-e', use], { cwd: folder, encoding: 'utf8' });
    expect(`${run().stderr}`).to.include("Cannot find package '@simplewebauthn/server'");
    symlinkSync(join(ROOT, 'node_modules', PASSKEYS), join(folder, 'node_modules', PASSKEYS));
    expect(`${run().stdout}`).to.equal('function\n');
  });

  it('has a separate entry for apps, which needs no other package, as an ES module and by require()', () => {
    const alone = mkdtempSync(join(tmpdir(), 'qr-login-alone-'));
    try {
      mkdirSync(join(alone, 'node_modules'));
      cpSync(join(folder, 'node_modules/oidc-provider-qr-login'), join(alone, 'node_modules/oidc-provider-qr-login'), {
        recursive: true,
      });
      const uses = {
        module: `import { Phone, memorySigner } from 'oidc-provider-qr-login/phone'; console.log(typeof Phone, typeof memorySigner);`,
        commonjs: `const { Phone, memorySigner } = require('oidc-provider-qr-login/phone'); console.log(typeof Phone, typeof memorySigner);`,
      };
      for (const [kind, use] of Object.entries(uses)) {
        const { stdout } = spawnSync(process.execPath, [`--input-type=${kind}`, '-e', use], {
          cwd: alone,
          encoding: 'utf8',
        });
        expect(stdout).to.equal('function function\n');
      }
    } finally {
      rmSync(alone, { recursive: true });
    }
  });

  it('contains only the files that are needed to run it', () => {
    const shipped = readdirSync(join(folder, 'node_modules/oidc-provider-qr-login'));
    expect(shipped).to.have.members(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'views']);
  });
});

/** Returns the TypeScript example of the README. */
function readmeExample(): string {
  const block = docPage('README.md').blocks.find(({ language }) => language === 'ts');
  if (block === undefined) throw new Error('the README has no TypeScript');
  return block.code;
}
