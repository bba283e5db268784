/**
 * Checks the rules of CONTRIBUTING.md about folders. Each probe is a file with one import, which the linter must
 * refuse or allow.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse, resolve } from 'node:path';
import { expect } from 'chai';

const REFUSED: readonly (readonly [folder: string, imported: string])[] = [
  ['src/ticket', '../stores/access.ts'],
  ['src/ticket', 'koa'],
  ['src/ticket/codes', '../../stores/access.ts'],
  ['src/ticket/browsers', 'keyv'],
  ['src/stores', '../oidc/client.ts'],
  ['src/stores/issuer', '../../oidc/client.ts'],
  ['src/stores/redis', '../../index.ts'],
  ['src/stores/redis/lists', '../../../oidc/client.ts'],
  ['src/oidc', '../http/errors.ts'],
  ['src/oidc', '@koa/router'],
  ['src/oidc/apps', '../../http/errors.ts'],
  ['src/oidc/resume', '../../index.ts'],
  ['src/http', 'oidc-provider'],
  ['src/http', '../config/settings.ts'],
  ['src/http/phone', 'oidc-provider'],
  ['src/http/phone', '../routes.ts'],
  ['src/http/api', '../../config/settings.ts'],
  ['src/http/streams', '../phone/csrf.ts'],
  ['src/http/request', '../pages/renderer.ts'],
  ['src/http/hooks', '../browser/finish.ts'],
  ['src/http/api', '../../admin/admin.ts'],
  ['src/admin', '../stores/access.ts'],
  ['src/config', '../qr-login.ts'],
  ['src/config', 'oidc-provider'],
  ['src/approval', '../http/routes.ts'],
  ['src/audit', '../stores/access.ts'],
  ['src/security-events', '../http/routes.ts'],
  ['src/phone', '../ticket/errors.ts'],
  ['src/phone', 'koa'],
  ['src/client', '../ticket/errors.ts'],
  ['src/client/ticket', '../../ticket/errors.ts'],
];

const ALLOWED: readonly (readonly [folder: string, imported: string])[] = [
  ['src/ticket/codes', '../ports.ts'],
  ['src/oidc/apps', '../client.ts'],
  ['src/stores/redis/lists', '../../access.ts'],
  ['src/oidc', '../ticket/errors.ts'],
  ['src/http/phone', '../../oidc/client.ts'],
  ['src/admin', '../http/devices/browser-lists.ts'],
  ['src/client/ticket', '../page.ts'],
];

describe('the linter', () => {
  let root: string;
  const probeOf = (index: number, folder: string) => `${folder}/probe-${index}.ts`;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'qr-login-rooms-'));
    copyFileSync('biome.json', join(root, 'biome.json'));
    for (const [index, [folder, imported]] of [...REFUSED, ...ALLOWED].entries()) {
      const file = join(root, probeOf(index, folder));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `import * as imported from '${imported}';\n\nexport const used: unknown = imported;\n`);
    }
  });

  after(() => rmSync(root, { recursive: true, force: true }));

  function refusedProbes(): string[] {
    const biome = resolve('node_modules/@biomejs/biome/bin/biome');
    const options = ['--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json'];
    const { stdout } = spawnSync(process.execPath, [biome, 'lint', ...options], { cwd: root, encoding: 'utf8' });
    const { diagnostics }: { diagnostics: readonly { category: string; location: { path: string } }[] } =
      JSON.parse(stdout);
    return diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location }) => location.path);
  }

  it('refuses imports against the order of the folders, and no others', () => {
    const expected = REFUSED.map(([folder], index) => probeOf(index, folder));
    expect(refusedProbes()).to.have.members(expected);
  });
});

function filesIn(folder: string): string[] {
  return execFileSync('git', ['ls-files', folder], { encoding: 'utf8' }).trim().split('\n');
}

describe('each folder of src', () => {
  it('has 17 files at most', () => {
    const folders = filesIn('src').map(dirname);
    const large = new Set(folders.filter((folder) => folders.filter((other) => other === folder).length > 17));
    expect([...large]).to.deep.equal([]);
  });
});

/** The folders whose rows in CONTRIBUTING.md name each file. The other rows name only the main files. */
const LISTED = /^src\/(?:config|http\/.*|oidc|oidc\/.*)$/;

describe('the table of folders in CONTRIBUTING.md', () => {
  const table = readFileSync('CONTRIBUTING.md', 'utf8');

  it('names each file of src/config, src/http and src/oidc', () => {
    const unnamed = filesIn('src').filter((file) => {
      const { dir, name } = parse(file);
      const row = table.split('\n').find((line) => line.startsWith(`| \`${dir}/\` |`)) ?? '';
      return LISTED.test(dir) && !row.includes(`\`${name}\``) && !row.includes(`\`${name}.ts\``);
    });
    expect(unnamed).to.deep.equal([]);
  });
});

/** Tests of the whole package, and of the tables in docs/oidc.md. */
const OF_NO_FILE = ['package', 'oidc/table'];

describe('each test whose folder also exists in src', () => {
  it('is named after a file in that folder of src', () => {
    const sources = filesIn('src').map((file) => file.replace(/^src\/|\.ts$/g, ''));
    const folders = new Set(sources.map(dirname));
    const tests = filesIn('test').filter((file) => file.endsWith('.test.ts'));
    const names = tests.map((file) => file.replace(/^test\/|(?:\.full)?\.test\.ts$/g, ''));
    const mirrored = names.filter((name) => folders.has(dirname(name)) && !OF_NO_FILE.includes(name));
    expect(mirrored).to.have.length.above(100);
    const lost = mirrored.filter((name) => !sources.some((file) => name === file || name.startsWith(`${file}-`)));
    expect(lost).to.deep.equal([]);
  });
});
