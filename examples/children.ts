/** Other programs that an example needs: started, waited for, and ended along with it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Milliseconds until a program that does not end is ended. */
const PATIENCE = 7_000;

export interface Child {
  readonly process: ChildProcess;
  /** Resolves once it is gone, however that came about. */
  readonly gone: Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface ChildOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** What it says, on either output, once it can be used. */
  readonly ready: RegExp;
  /** Told every line after that. */
  readonly onLine?: (line: string) => void;
}

/** @throws Error which says what to install, where there is no such file */
export function need(file: string, debianPackage: string): void {
  if (!existsSync(file)) throw new Error(`${file} is missing. Install: sudo apt-get install ${debianPackage}`);
}

export async function startChild(
  file: string,
  parameters: readonly string[],
  { ready, onLine, ...options }: ChildOptions,
): Promise<Child> {
  // In a group of its own, out of reach of the terminal's Ctrl-C: we say who ends when.
  const child = spawn(file, parameters, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  // With all that it has started itself, such as nginx its workers: they would live on.
  const kill = (): void => {
    const isThere = child.exitCode === null && child.signalCode === null;
    if (isThere && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', kill);
      resolve();
    });
  });

  await new Promise<void>((resolve, reject) => {
    const said: string[] = [];
    let hear = (line: string): void => {
      said.push(line);
      if (!ready.test(line)) return;
      hear = onLine ?? (() => {});
      resolve();
    };
    for (const output of [child.stdout, child.stderr]) createInterface(output).on('line', (line) => hear(line));
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${file} does not start:\n${said.join('\n')}`)));
  });

  const stop = async (): Promise<void> => {
    child.kill();
    // One that is paused (SIGSTOP) hears of its end only when it goes on.
    child.kill('SIGCONT');
    const impatient = setTimeout(kill, PATIENCE);
    await gone;
    clearTimeout(impatient);
  };
  return { process: child, gone, stop };
}
