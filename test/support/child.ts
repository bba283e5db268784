/** A process that a test starts. It dies with the test at the latest, and only by its own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** What it says on its standard output once it can be used. */
  readonly ready: RegExp;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string | URL;
}

/** How a process has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Waiting {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
  readonly reject: (reason: Error) => void;
}

/** Linux ends it even if the test's process is killed, and so cannot do it itself. */
const SETPRIV = '/usr/bin/setpriv';
const prefix = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL'] : [];

/** How long a process may take until it can be used, in milliseconds. Below Mocha's time-out, so that the error says what it has printed. */
const READY_WITHIN_MS = 45_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Child {
  /** What it has said on its standard output, line by line. */
  readonly lines: string[] = [];
  /** What it has complained of on its standard error. */
  readonly complaints: string[] = [];
  /** Resolves when it has ended and everything that it said is read. */
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Set<Waiting>();

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.once('error', ({ message }) => this.complaints.push(message));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#rejectWaiting('has ended');
        resolve({ code, signal });
      });
    });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('its output is not piped');
    createInterface(stdout).on('line', (line) => this.#hear(line));
    createInterface(stderr).on('line', (line) => this.complaints.push(line));
  }

  /** Resolves when it is ready. @throws Error with what it has printed, if it ends before that or takes too long; it has ended then */
  static async start(name: string, command: readonly string[], { ready, ...options }: ChildOptions): Promise<Child> {
    const [program = '', ...args] = [...prefix, ...command];
    const child = new Child(name, spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
    const impatient = setTimeout(
      () => child.#rejectWaiting(`is not ready after ${READY_WITHIN_MS} ms`),
      READY_WITHIN_MS,
    );
    try {
      await child.seen(ready);
      return child;
    } catch (error) {
      await child.end('SIGKILL');
      throw error;
    } finally {
      clearTimeout(impatient);
    }
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The first line that matches, said already or to be said. */
  seen(pattern: RegExp): Promise<string> {
    const line = this.lines.find((said) => pattern.test(said));
    return line === undefined ? this.next(pattern) : Promise.resolve(line);
  }

  /** The first line that matches from now on. */
  next(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.alive) this.#waiting.add({ pattern, resolve, reject });
      else reject(this.#problem('has ended'));
    });
  }

  /** SIGSTOP: it keeps its connections, and answers nobody. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** @returns how it has ended, once it has */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Ended> {
    if (this.alive) this.#process.kill(signal);
    return this.ended;
  }

  #hear(line: string): void {
    this.lines.push(line);
    for (const waiting of this.#waiting) {
      if (!waiting.pattern.test(line)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(line);
    }
  }

  /** Tells every caller that waits for a line why it will not come. */
  #rejectWaiting(why: string): void {
    for (const { reject } of this.#waiting) reject(this.#problem(why));
    this.#waiting.clear();
  }

  #problem(what: string): Error {
    return new Error(`${this.#name} ${what}:\n${[...this.lines, ...this.complaints].slice(-20).join('\n')}`);
  }
}
