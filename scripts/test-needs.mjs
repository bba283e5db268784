/** Installs the programs that the tests drive and that come from Debian, not from npm. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const { CHROMIUM_PATH, NGINX_PATH, REDIS_SERVER_PATH } = process.env;

const NEEDS = [
  { file: CHROMIUM_PATH ?? '/usr/bin/chromium', debianPackage: 'chromium' },
  { file: CHROMIUM_PATH ?? '/usr/bin/chromium-headless-shell', debianPackage: 'chromium-headless-shell' },
  { file: NGINX_PATH ?? '/usr/sbin/nginx', debianPackage: 'nginx-light' },
  { file: '/usr/bin/openssl', debianPackage: 'openssl' },
  // Spin writes a program in C for each run of the model in docs/model.
  { file: '/usr/bin/spin', debianPackage: 'spin' },
  { file: '/usr/bin/gcc', debianPackage: 'gcc' },
  { file: '/usr/include/stdio.h', debianPackage: 'libc6-dev' },
  { file: REDIS_SERVER_PATH ?? '/usr/bin/redis-server', debianPackage: 'redis-server' },
];

/** Needed by the long suite only. */
const NEEDS_OF_FULL_SUITE = [
  { file: '/usr/sbin/haproxy', debianPackage: 'haproxy' },
  { file: '/usr/sbin/apache2', debianPackage: 'apache2-bin' },
  { file: '/usr/bin/caddy', debianPackage: 'caddy' },
];

/** Fonts that Chromium needs on a machine without a desktop. No single file shows that they are installed. */
const FONTS = ['fonts-dejavu-core'];

/**
 * Installs the missing programs, if this process is root and apt-get exists.
 *
 * @returns false if a program is still missing; the function has then printed the command that installs it
 */
export function installTestNeeds() {
  const needs = process.env.TEST_SUITE === 'full' ? [...NEEDS, ...NEEDS_OF_FULL_SUITE] : NEEDS;
  const missing = needs.filter(({ file }) => !existsSync(file)).map(({ debianPackage }) => debianPackage);
  if (missing.length === 0 || install([...missing, ...FONTS])) return true;
  console.error(`The tests need ${missing.join(' and ')}. Install: sudo apt-get install ${missing.join(' ')}`);
  return false;
}

function install(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  console.log(`Installing what the tests need: ${packages.join(' ')}`);
  return aptGet('update') && aptGet('install', '-y', '--no-install-recommends', ...packages);
}

function aptGet(...parameters) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const stdio = ['ignore', 'ignore', 'inherit'];
  return spawnSync('apt-get', ['-qq', ...parameters], { env, stdio }).status === 0;
}
