/** Installs JavaScript runtimes other than Node on demand. */
import { join } from 'node:path';
import { ENVIRONMENT } from '../examples/example-program.ts';
import { install } from './install.ts';

/**
 * The packages with the binaries. The packages `deno` and `bun` start them by scripts, and a stopped script would leave
 * the binary running.
 */
const [DENO, BUN] =
  process.arch === 'arm64'
    ? ['@deno/linux-arm64-glibc', '@oven/bun-linux-aarch64']
    : ['@deno/linux-x64-glibc', '@oven/bun-linux-x64'];

interface Runtime {
  readonly packages: Readonly<Record<string, string>>;
  /** The program in `node_modules`, and its parameters in front of a script. */
  readonly command: readonly [program: string, ...parameters: string[]];
}

const RUNTIMES: Readonly<Record<string, Runtime>> = {
  Deno: {
    packages: { [DENO]: '2.9.6' },
    command: [`${DENO}/deno`, 'run', '--allow-all', '--no-check', '--node-modules-dir=manual'],
  },
  Bun: { packages: { [BUN]: '1.4.5' }, command: [`${BUN}/bin/bun`] },
};

export const RUNTIME_NAMES: readonly string[] = Object.keys(RUNTIMES);

/** Installs a runtime. @returns the command in front of a script, and the environment */
export function installRuntime(name: string): { command: string[]; env: NodeJS.ProcessEnv } {
  const runtime = RUNTIMES[name];
  if (runtime === undefined) throw new Error(`there is no runtime ${name}`);
  const folder = install(name.toLowerCase(), runtime.packages);
  const [program, ...parameters] = runtime.command;
  return {
    command: [join(folder, 'node_modules', program), ...parameters],
    env: { ...ENVIRONMENT, DENO_DIR: join(folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' },
  };
}
