/** The programs of a benchmark, servers and load generators: each a process of its own, so that what each costs is known. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process has used so far. */
export interface Usage {
  /** Of all its threads, in user and system time; microseconds. */
  readonly cpu: number;
  /** Resident memory, in bytes. */
  readonly rss: number;
}

export interface Collected extends Usage {
  /** What JavaScript holds on to, and what lies outside of its heap for it; bytes. */
  readonly held: number;
}

export interface Program {
  readonly pid: number;
  /** Asks what the program {@link answers}. @throws Error where it fails there, or the program has ended */
  readonly ask: <Answer>(question: string, detail?: unknown) => Promise<Answer>;
  readonly usage: () => Promise<Usage>;
  /** What is left after a full garbage collection. */
  readonly collected: () => Promise<Collected>;
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

/** Milliseconds that a program has to get ready. */
const READY_WITHIN = 30_000;

/**
 * Starts a program of this folder, and waits until it {@link answers}. Node 20 hangs now and then before it has run a line, where
 * modules are compiled on the way: then it is started once more.
 * @param options what it finds as {@link optionsOf}
 * @param nodeOptions such as `--max-semi-space-size=1`
 */
export async function start(
  file: string,
  options: unknown = {},
  nodeOptions: readonly string[] = [],
): Promise<Program> {
  const program = await tryToStart(file, options, nodeOptions);
  return program ?? (await tryToStart(file, options, nodeOptions)) ?? Promise.reject(new Error(`${file} hangs`));
}

/** @returns undefined where it hangs */
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
    const giveUp = setTimeout(() => resolve(false), READY_WITHIN);
    child.once('message', (message) => {
      clearTimeout(giveUp);
      if (message === READY) resolve(true);
      else reject(new Error(`${file} said ${message}`));
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
    collected: () => ask<Collected>(COLLECTED),
    stop: async () => {
      child.kill();
      await gone;
    },
  };
}

/** What the program at work was started with. */
export function optionsOf<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Called once by the program itself, when it is ready. */
export function answers(known: Answers): void {
  const all: Answers = { ...known, [USAGE]: usageOfThis, [COLLECTED]: collect };
  process.on('message', async ({ number, question, detail }: Question) => {
    try {
      const answer = await all[question]?.(detail as never);
      process.send?.({ number, answer } satisfies Answer);
    } catch (error) {
      process.send?.({ number, error: String(error instanceof Error ? error.stack : error) } satisfies Answer);
    }
  });
  // Nobody is left to ask.
  process.once('disconnect', () => process.exit());
  process.send?.(READY);
}

function usageOfThis(): Usage {
  const { user, system } = process.cpuUsage();
  const [, pages = '0'] = readFileSync('/proc/self/statm', 'utf8').split(' ');
  return { cpu: user + system, rss: Number(pages) * 4096 };
}

async function collect(): Promise<Collected> {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  for (let round = 0; round < 2; round += 1) {
    gc();
    // Freed pages are given back by other threads.
    await pause(500);
  }
  const { heapUsed, external } = process.memoryUsage();
  return { ...usageOfThis(), held: heapUsed + external };
}
