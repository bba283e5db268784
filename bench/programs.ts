/**
 * Starts the programs of a benchmark, servers and load generators. Each is a separate process, so that its cost can be
 * measured.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The resources that a process has used so far. */
export interface Usage {
  /** User and system CPU time of all its threads, in microseconds. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly rss: number;
}

export interface HeapUsage extends Usage {
  /** Bytes of the used JavaScript heap, and of the memory outside of the heap that its objects own. */
  readonly held: number;
}

export interface Program {
  readonly pid: number;
  /**
   * Asks the program a question, which a handler given to {@link answerQuestions} answers.
   * @throws Error if the handler fails or the program has ended
   */
  readonly ask: <Answer>(question: string, detail?: unknown) => Promise<Answer>;
  readonly usage: () => Promise<Usage>;
  /** Returns the usage after a full garbage collection. */
  readonly usageAfterCollection: () => Promise<HeapUsage>;
  readonly stop: () => Promise<void>;
}

type Answers = Readonly<Record<string, (detail: never) => unknown>>;

interface Question {
  readonly number: number;
  readonly question: string;
  readonly detail: unknown;
}

interface Answer {
  readonly number: number;
  readonly answer?: unknown;
  readonly error?: string;
}

const READY = 'ready';
const USAGE = 'usage';
const COLLECTED = 'collected';

/** A program that is not ready within this time is considered to hang. */
const READY_WITHIN_MS = 30_000;

/**
 * Starts a program of this folder, and waits until it has called {@link answerQuestions}. If Node 20 compiles modules
 * while it loads them, it sometimes hangs before it has run a line. In that case the program is started once more.
 * @param options options that the program reads with {@link optionsOf}
 * @param nodeOptions command-line options for Node, such as `--max-semi-space-size=1`
 */
export async function start(
  file: string,
  options: unknown = {},
  nodeOptions: readonly string[] = [],
): Promise<Program> {
  const program = await tryToStart(file, options, nodeOptions);
  return program ?? (await tryToStart(file, options, nodeOptions)) ?? Promise.reject(new Error(`${file} hangs`));
}

/** Starts the program once. @returns undefined if it hangs */
async function tryToStart(
  file: string,
  options: unknown,
  nodeOptions: readonly string[],
): Promise<Program | undefined> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, [JSON.stringify(options)], {
    execArgv: ['--import', './scripts/typescript.mjs', ...nodeOptions],
    env: { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1' },
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  let asked = 0;
  let hasEnded = false;
  const gone = once(child, 'exit').then(() => {
    hasEnded = true;
    for (const { reject } of waiting.values()) reject(new Error(`${file} has ended`));
  });
  const isReady = await new Promise<boolean>((resolve, reject) => {
    const giveUp = setTimeout(() => resolve(false), READY_WITHIN_MS);
    child.once('message', (message) => {
      clearTimeout(giveUp);
      if (message === READY) resolve(true);
      else reject(new Error(`the first message of ${file} must be "${READY}", but is ${message}`));
    });
    gone.then(() => reject(new Error(`${file} does not start`)));
  });
  if (!isReady) {
    child.kill('SIGKILL');
    await gone;
    return undefined;
  }
  child.on('message', ({ number, answer, error }: Answer) => {
    const one = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) one?.resolve(answer);
    else one?.reject(new Error(error));
  });
  const ask = <A>(question: string, detail?: unknown): Promise<A> =>
    new Promise<unknown>((resolve, reject) => {
      if (hasEnded) return reject(new Error(`${file} has ended`));
      const number = ++asked;
      waiting.set(number, { resolve, reject });
      child.send({ number, question, detail } satisfies Question);
    }) as Promise<A>;
  return {
    pid: child.pid ?? 0,
    ask,
    usage: () => ask<Usage>(USAGE),
    usageAfterCollection: () => ask<HeapUsage>(COLLECTED),
    stop: async () => {
      child.kill();
      await gone;
    },
  };
}

/** Returns the options that this program was started with. */
export function optionsOf<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Answers questions with these handlers from now on. A program calls this once, when it is ready. */
export function answerQuestions(known: Answers): void {
  const all: Answers = { ...known, [USAGE]: usageOfThis, [COLLECTED]: collect };
  process.on('message', async ({ number, question, detail }: Question) => {
    try {
      const answer = await all[question]?.(detail as never);
      process.send?.({ number, answer } satisfies Answer);
    } catch (error) {
      process.send?.({ number, error: String(error instanceof Error ? error.stack : error) } satisfies Answer);
    }
  });
  // The process that asks the questions has ended.
  process.once('disconnect', () => process.exit());
  process.send?.(READY);
}

function usageOfThis(): Usage {
  const { user, system } = process.cpuUsage();
  const [, pages = '0'] = readFileSync('/proc/self/statm', 'utf8').split(' ');
  return { cpu: user + system, rss: Number(pages) * 4096 };
}

async function collect(): Promise<HeapUsage> {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  for (let round = 0; round < 2; round += 1) {
    gc();
    // Other threads of V8 return the freed pages to the system, which takes a while.
    await pause(500);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { ...usageOfThis(), held: heapUsed + external };
}
