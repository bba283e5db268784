/** Hooks that Mocha runs around all tests and around each file. `package.json` names this file. */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Suite } from 'mocha';
import { CHROMIUM_SERVER } from '../chromium/chromium.ts';
import { type ChromiumServer, startChromiumServer } from '../chromium/chromium-server.ts';
import { noteBegin, writeCoverageNearTheEnd } from './worker-coverage.ts';

/** The environment variable with the path of the file that collects durations: one JSON line for each test file. */
const TIMES = 'TEST_TIMES';

let chromium: ChromiumServer | undefined;

/** Runs once, in the process that starts the workers: they inherit its environment. */
export async function mochaGlobalSetup(): Promise<void> {
  chromium = await startChromiumServer();
  process.env[CHROMIUM_SERVER] = chromium.url;
}

export async function mochaGlobalTeardown(): Promise<void> {
  await chromium?.close();
}

let began = 0;

/** With `--parallel`, these run before and after each file. */
export const mochaHooks = {
  beforeAll(): void {
    began = performance.now();
    noteBegin();
  },
  afterAll(this: Mocha.Context): void {
    recordTime(this.test?.parent);
    writeCoverageNearTheEnd();
  },
};

function recordTime(root: Suite | undefined): void {
  const file = fileOf(root);
  const times = process.env[TIMES];
  if (times === undefined || file === undefined) return;
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
  appendFileSync(times, `${JSON.stringify({ file: relative('', file), seconds })}\n`);
}

function fileOf(root: Suite | undefined): string | undefined {
  return root?.suites[0]?.file;
}
