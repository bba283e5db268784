/** Starts the other programs that an example needs, waits until they are ready, and ends them with the example. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Time for a program to end after SIGTERM. It is killed after that. */
const KILL_AFTER_MS = 7_000;

export interface Child {
  readonly process: ChildProcess;
  /** Resolves once the process has ended, for any reason. */
  readonly gone: Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface ChildOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** Matches the line, on either output, that says that the program is ready. */
  readonly ready: RegExp;
  /** Called with every line after that. */
  readonly onLine?: (line: string) => void;
}

/** Checks that a program is installed. @throws Error that names the Debian package, if the file does not exist */
export function assertInstalled(file: string, debianPackage: string): void {
  if (!existsSync(file)) throw new Error(`${file} is missing. Install: sudo apt-get install ${debianPackage}`);
}

export async function startChild(
  file: string,
  parameters: readonly string[],
  { ready, onLine, ...options }: ChildOptions,
): Promise<Child> {
  // Start the program in a process group of its own, which the terminal's Ctrl-C does not reach, because the example
  // ends the programs in order.
  const child = spawn(file, parameters, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  // Signal the whole process group, because children such as nginx's workers would survive otherwise.
  const kill = (): void => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', kill);
      resolve();
    });
  });

  await new Promise<void>((resolve, reject) => {
    const lines: string[] = [];
    let handleLine = (line: string): void => {
      lines.push(line);
      if (!ready.test(line)) return;
      handleLine = onLine ?? (() => {});
      resolve();
    };
    for (const output of [child.stdout, child.stderr]) createInterface(output).on('line', (line) => handleLine(line));
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${file} does not start:\n${lines.join('\n')}`)));
  });

  const stop = async (): Promise<void> => {
    child.kill();
    // A paused process (SIGSTOP) handles SIGTERM only after it continues.
    child.kill('SIGCONT');
    const killTimer = setTimeout(kill, KILL_AFTER_MS);
    await gone;
    clearTimeout(killTimer);
  };
  return { process: child, gone, stop };
}
