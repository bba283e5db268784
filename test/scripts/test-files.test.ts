/** Tests the arguments of `npm test` that name files and folders. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';

interface TestFiles {
  testFiles(suite: { full: boolean }): string[];
  testFilesAt(argument: string, suite: { full: boolean }): string[];
}

const { testFiles, testFilesAt }: TestFiles = await import(
  new URL('../../scripts/test-files.mjs', import.meta.url).href
);

const SHORT = { full: false };

describe('npm test with a path', () => {
  it('runs all test files of a folder and of the folders in it', () => {
    for (const folder of ['test/http', './test/http/']) {
      const files = testFilesAt(folder, SHORT);
      expect(files).to.include.members(['test/http/errors.test.ts', 'test/http/phone/landing.test.ts']);
      expect(files.every((file) => file.startsWith('test/http/'))).to.equal(true);
    }
    expect(testFilesAt('test', SHORT)).to.deep.equal(testFiles(SHORT));
  });

  it('leaves out the files of the long suite, unless the long suite runs or the file is named', () => {
    const file = 'test/reliability/many.full.test.ts';
    expect(testFilesAt('test/reliability', SHORT)).not.to.include(file);
    expect(testFilesAt('test/reliability', { full: true })).to.include(file);
    expect(testFilesAt(file, SHORT)).to.deep.equal([file]);
  });

  it('leaves a glob to Mocha', () => {
    expect(testFilesAt('test/docs/*.test.ts', SHORT)).to.deep.equal(['test/docs/*.test.ts']);
  });

  const WRONG = {
    'test/htpt': /there is no test\/htpt/,
    'test/http/phone/ticket.test.ts': /there is no test\/http\/phone\/ticket\.test\.ts/,
    'test/fixtures': /test\/fixtures has no test files in the short suite/,
    'test/support/world.ts': /test\/support\/world\.ts has no tests/,
  };
  for (const [path, message] of Object.entries(WRONG)) {
    it(`ends with an error and runs no test: ${path}`, () => {
      const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/test.mjs', path], { encoding: 'utf8' });
      expect(status).to.equal(2);
      expect(stderr).to.match(message);
      expect(stdout).to.equal('');
    });
  }
});
