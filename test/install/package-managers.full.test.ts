/** Installs the packed package from the registry, as users do. It needs the network, and fails without it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../support/child.ts';
import { packedFile, ROOT } from '../support/packed.ts';
import { freePort } from '../support/server.ts';
import { signInAt } from '../support/sign-in-at.ts';

/** The longest time that a package manager may take, in milliseconds. */
const INSTALL_MS = 300_000;
const PNPM = ['npx', '--yes', 'pnpm@10'];
const YARN = ['npx', '--yes', '@yarnpkg/cli-dist@4'];

interface Manager {
  readonly files?: Readonly<Record<string, string>>;
  readonly install: readonly string[];
  readonly run?: readonly string[];
}

const MANAGERS: Readonly<Record<string, Manager>> = {
  npm: { install: ['npm', 'install', '--no-audit', '--no-fund'] },
  pnpm: { install: [...PNPM, 'install'] },
  'Yarn with node_modules': {
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
    install: [...YARN, 'install', '--no-immutable'],
  },
  'Yarn with Plug and Play': {
    files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableTelemetry: false\n', 'yarn.lock': '' },
    install: [...YARN, 'install', '--no-immutable'],
    run: [process.execPath, '--require=./.pnp.cjs', '--experimental-loader=./.pnp.loader.mjs'],
  },
};

/** `*` stands for the newest version. pnpm and Yarn also install it for a peer dependency. */
const KEYVS = ['5', '6'];

for (const [name, { files = {}, install, run = [process.execPath] }] of Object.entries(MANAGERS)) {
  for (const keyv of KEYVS) {
    it(`installed by ${name} beside keyv ${keyv}, the package signs in`, async () => {
      const home = mkdtempSync(join(tmpdir(), 'qr-login-install-'));
      const port = await freePort();
      const dependencies = {
        'oidc-provider-qr-login': `file:${packedFile()}`,
        'oidc-provider': '^9',
        keyv: `^${keyv}`,
        'co-body': '^6',
      };
      const program = readFileSync(join(ROOT, 'examples/minimal/provider.js'), 'utf8').replaceAll('3000', `${port}`);
      const manifest = JSON.stringify({ name: 'app', private: true, type: 'module', dependencies });
      for (const [file, content] of Object.entries({ ...files, 'package.json': manifest, 'provider.js': program }))
        writeFileSync(join(home, file), content);
      try {
        const [command = '', ...parameters] = install;
        execFileSync(command, parameters, { cwd: home, stdio: 'pipe', timeout: INSTALL_MS });
        const started = { ready: /^The provider is at /, cwd: home };
        const child = await Child.start(name, [...run, 'provider.js'], started);
        try {
          await signInAt(`http://localhost:${port}`);
        } finally {
          await child.end('SIGKILL');
        }
      } finally {
        rmSync(home, { recursive: true });
      }
    }).timeout(INSTALL_MS);
  }
}
