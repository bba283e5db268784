/** The functions of a test runner that the contract needs. Mocha and `node:test` have them under these names. */
export interface TestRunner {
  readonly describe: (name: string, suite: () => void) => unknown;
  readonly it: (name: string, test: () => Promise<void>) => unknown;
  readonly before: (hook: () => Promise<void>) => unknown;
  readonly after: (hook: () => Promise<void>) => unknown;
}
