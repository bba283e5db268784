import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isFullSuite } from '../support/full-suite.ts';
import { installPackage, ROOT } from '../support/packed.ts';

describe('the example of a deployment’s own store', () => {
  let folder: string;

  before(() => {
    folder = installPackage('mocha');
    cpSync(join(ROOT, 'examples/own-store'), folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /** Runs the tests of the example with the installed package. @returns the numbers of passed and failed tests */
  function runTests(): { passed: number; failed: number; output: string } {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const { stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'store.test.js'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    const countOf = (kind: string): number => Number(new RegExp(`^# ${kind} (\\d+)$`, 'm').exec(stdout)?.[1]);
    return { passed: countOf('pass'), failed: countOf('fail'), output: stdout };
  }

  it('passes the contract of the installed package', () => {
    const { passed, failed, output } = runTests();
    expect(failed, output).to.equal(0);
    expect(passed, output).to.be.at.least(50);
  });

  const FAULTS = {
    'that does not compare versions': [' || stored.version !== previous.version', ''],
    'that does not lock': ['this.#last.then(step)', 'step()'],
    'with lists of any length': ['others.splice(0, Math.max(0, others.length + 1 - MOST_BROWSERS))', '[]'],
    // Run this in the long suite only, because the contract waits almost a minute for the end of the limit's window.
    ...(isFullSuite && {
      'that counts a request when it is only asked if one is allowed': [
        'async ask(key) {',
        'async ask(key) {\n    await this.take(key);',
      ],
    }),
  } as const;

  for (const [name, [right, wrong]] of Object.entries(FAULTS)) {
    it(`fails the contract with a store ${name}`, () => {
      const source = readFileSync(join(ROOT, 'examples/own-store/store.js'), 'utf8');
      expect(source).to.include(right);
      writeFileSync(join(folder, 'store.js'), source.replace(right, wrong));
      const { failed, output } = runTests();
      expect(failed, output).to.be.at.least(1);
    });
  }
});
