/**
 * Compiles code that uses the package's types, with every supported version of TypeScript and, for most versions, with
 * every module resolution. `skipLibCheck` is off, so that the compiler also checks the package's types.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { install } from '../hosts/install.ts';
import { packedFile } from '../support/packed.ts';
import { COMMON_JS, ES_MODULE } from './consumers.ts';

/** The newest types, with the newest Keyv. */
const NEWEST = {
  '@types/node': '26.6.7',
  '@types/koa': '3.0.3',
  '@types/oidc-provider': '9.12.1',
  keyv: '6.1.0',
};

/** Types that an app may have pinned. They are older than the types with which the plugin is built. */
const OLDER = {
  '@types/node': '22.19.1',
  '@types/koa': '2.15.0',
  '@types/oidc-provider': '9.1.0',
  keyv: '5.6.0',
};

/** The versions of TypeScript, and the types to compile with each. The newest types need TypeScript 5.6. */
const VERSIONS: Readonly<Record<string, readonly (keyof typeof TYPES)[]>> = {
  '5.5.4': ['older'],
  '5.6.3': ['newest'],
  '5.7.3': ['newest'],
  '5.8.3': ['newest'],
  '5.9.3': ['newest'],
  '6.0.3': ['newest'],
  '7.0.2': ['newest', 'older'],
};

/** Versions between other tested versions, for which one module resolution is enough. */
const BETWEEN: Readonly<Record<string, string>> = { '5.7.3': 'nodenext', '5.8.3': 'nodenext' };

const TYPES = { newest: NEWEST, older: OLDER };

interface Resolution {
  readonly options: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  /** The first version of TypeScript without this resolution. */
  readonly until?: number;
}

const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  node: { options: { module: 'commonjs' }, files: ['any.ts'], until: 7 },
  node16: { options: { module: 'node16' }, files: ['es.mts', 'common.cts'] },
  nodenext: { options: { module: 'nodenext' }, files: ['es.mts', 'common.cts'] },
  bundler: { options: { module: 'esnext' }, files: ['any.ts'] },
};

const COMPILER_OPTIONS = {
  target: 'es2022',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};

/** The longest time for an installation, or for a run of a compiler on a busy machine, in milliseconds. */
const PATIENCE_MS = 300_000;

/** Installs the packed package with these packages beside it, as a user does. Returns the folder. */
function makeApp(types: Readonly<Record<string, string>>, manager: readonly string[]): string {
  const home = mkdtempSync(join(tmpdir(), 'qr-login-types-'));
  const dependencies = {
    'oidc-provider-qr-login': `file:${packedFile()}`,
    'oidc-provider': '^9',
    '@simplewebauthn/server': '^14',
    ...types,
  };
  const manifest = { name: 'app', private: true, dependencies };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(home, 'any.ts'), ES_MODULE);
  writeFileSync(join(home, 'es.mts'), ES_MODULE);
  writeFileSync(join(home, 'common.cts'), COMMON_JS);
  const [command = '', ...parameters] = manager;
  execFileSync(command, parameters, { cwd: home, stdio: 'pipe', timeout: PATIENCE_MS });
  return home;
}

/** Returns the compiler's errors. */
function compile(home: string, version: string, resolution: string, { options, files }: Resolution): string {
  const folder = install('typescript', { typescript: version });
  // TypeScript 6 announces the end of this resolution.
  const deprecated = resolution === 'node' && version.startsWith('6.') ? { ignoreDeprecations: '6.0' } : {};
  const compilerOptions = { ...COMPILER_OPTIONS, ...options, moduleResolution: resolution, ...deprecated };
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiler = join(folder, 'node_modules/typescript/bin/tsc');
  const run = spawnSync(process.execPath, [compiler, '--project', '.', '--pretty', 'false'], {
    cwd: home,
    encoding: 'utf8',
  });
  return run.status === 0 ? '' : run.stdout + run.stderr;
}

const NPM = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
const PNPM = ['npx', '--yes', 'pnpm@10', 'install', '--ignore-scripts'];

for (const [name, types] of Object.entries(TYPES)) {
  describe(`the types, beside the ${name} types of Node, Koa and oidc-provider`, () => {
    let home = '';

    before(() => {
      home = makeApp(types, NPM);
    });

    after(() => {
      if (home !== '') rmSync(home, { recursive: true });
    });

    it('are not installed a second time', () => {
      expect(existsSync(join(home, 'node_modules/oidc-provider-qr-login/node_modules/@types'))).to.equal(false);
    });

    for (const [version, beside] of Object.entries(VERSIONS)) {
      if (!beside.some((one) => one === name)) continue;
      for (const [resolution, settings] of Object.entries(RESOLUTIONS)) {
        if (settings.until !== undefined && Number.parseFloat(version) >= settings.until) continue;
        if ((BETWEEN[version] ?? resolution) !== resolution) continue;
        it(`compile with TypeScript ${version} and the module resolution ${resolution}`, () => {
          expect(compile(home, version, resolution, settings)).to.equal('');
        }).timeout(PATIENCE_MS);
      }
    }
  });
}

describe('the types, beside older types that pnpm has installed', () => {
  it('compile', () => {
    const home = makeApp(OLDER, PNPM);
    try {
      for (const [resolution, settings] of Object.entries(RESOLUTIONS)) {
        if (settings.until !== undefined) continue;
        expect(compile(home, '7.0.2', resolution, settings), resolution).to.equal('');
      }
    } finally {
      rmSync(home, { recursive: true });
    }
  }).timeout(PATIENCE_MS);
});
