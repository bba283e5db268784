/**
 * A process that a test starts. It is killed when the test's process ends, at the latest. Only this one process is
 * killed, by its id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** A pattern for the line on standard output that shows that the process is ready. */
  readonly ready: RegExp;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string | URL;
}

/** The exit code or the signal with which a process has ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface LineRequest {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
  readonly reject: (reason: Error) => void;
}

/** With setpriv, Linux kills the child even if the test's process is killed and cannot do so itself. */
const SETPRIV = '/usr/bin/setpriv';
const prefix = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL'] : [];

/**
 * The time that a process has to become ready. A start needs up to 3 s of CPU time, and a busy machine gives the
 * process only a few percent of a CPU. The time is below Mocha's time-out, so that the error can quote the process's
 * output.
 */
const READY_WITHIN_MS = 150_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Child {
  /** The lines on its standard output so far. */
  readonly lines: string[] = [];
  /** The lines on its standard error so far. */
  readonly complaints: string[] = [];
  /** Resolves when the process has ended and all its output is read. */
  readonly ended: Promise<ExitStatus>;
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Set<LineRequest>();

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

  /**
   * Starts a process, and resolves when it is ready.
   * @throws Error with the output of the process, if it ends before it is ready or takes longer than 150 s, after which
   * it is killed
   */
  static async start(name: string, command: readonly string[], { ready, ...options }: ChildOptions): Promise<Child> {
    const [program = '', ...args] = [...prefix, ...command];
    const child = new Child(name, spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
    const impatient = setTimeout(
      () => child.#rejectWaiting(`is not ready after ${READY_WITHIN_MS} ms`),
      READY_WITHIN_MS,
    );
    try {
      await child.firstLine(ready);
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

  /** Returns the first line on standard output that matches. If there is none yet, waits for it. */
  firstLine(pattern: RegExp): Promise<string> {
    const line = this.lines.find((printed) => pattern.test(printed));
    return line === undefined ? this.nextLine(pattern) : Promise.resolve(line);
  }

  /** Waits for the next line on standard output that matches. @throws Error if the process ends */
  nextLine(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.alive) this.#waiting.add({ pattern, resolve, reject });
      else reject(this.#problem('has ended'));
    });
  }

  /** Stops the process with SIGSTOP: it keeps its connections, but answers nothing. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** Sends the signal, and waits for the end of the process. @returns its exit code or signal */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<ExitStatus> {
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

  /** Rejects the promises of all callers that wait for a line. */
  #rejectWaiting(why: string): void {
    for (const { reject } of this.#waiting) reject(this.#problem(why));
    this.#waiting.clear();
  }

  #problem(what: string): Error {
    return new Error(`${this.#name} ${what}:\n${[...this.lines, ...this.complaints].slice(-20).join('\n')}`);
  }
}
