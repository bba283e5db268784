/** Brings what the tests need beside npm's packages: Debian's packages. Installs them where that is possible, else says what to do. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const NEEDS = [
  { file: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', debian: 'chromium' },
  { file: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium-headless-shell', debian: 'chromium-headless-shell' },
  { file: process.env.NGINX_PATH ?? '/usr/sbin/nginx', debian: 'nginx-light' },
  { file: '/usr/bin/openssl', debian: 'openssl' },
  { file: process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server', debian: 'redis-server' },
];

const missing = NEEDS.filter(({ file }) => !existsSync(file)).map(({ debian }) => debian);
if (missing.length > 0 && !install(missing)) {
  console.error(`The tests need ${missing.join(' and ')}. Install: sudo apt-get install ${missing.join(' ')}`);
  process.exit(1);
}

function install(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  console.log(`Installing what the tests need: ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args) =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  return run('update') && run('install', '-y', '--no-install-recommends', ...packages, 'fonts-dejavu-core');
}
