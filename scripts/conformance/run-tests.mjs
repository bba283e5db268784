/** Runs oidc-provider's own tests in a checkout of it, as its `test/run.js` does, and writes the outcome as JSON. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { CONFORMANCE_CHECKOUT, CONFORMANCE_OUTCOME } = process.env;
const require = createRequire(new URL('test/run.js', CONFORMANCE_CHECKOUT));
const Mocha = require('mocha');
const { lookupFiles } = require('mocha/lib/cli');

process.chdir(fileURLToPath(CONFORMANCE_CHECKOUT));
process.env.MOUNT_VIA = '';
process.env.MOUNT_TO = '/';
for (const name of ['info', 'warn']) {
  const print = console[name];
  console[name] = (...args) => {
    if (!/NOTICE: |WARNING: /.test(`${args[0]}`)) print.apply(console, args);
  };
}

globalThis.server = createServer().listen(0, '::');
await once(globalThis.server, 'listening');
const mocha = new Mocha({ timeout: 60_000, reporter: 'min' });
mocha.files = lookupFiles('test/**/*.test.js', ['js'], true);
await mocha.loadFilesAsync();

const passed = [];
const failed = [];
const runner = mocha.run(() => {
  writeFileSync(CONFORMANCE_OUTCOME, JSON.stringify({ passed, failed }));
  process.exit(0);
});
runner.on('pass', (test) => passed.push(test.fullTitle()));
runner.on('fail', (test, error) => failed.push({ title: test.fullTitle(), message: `${error?.message ?? error}` }));
