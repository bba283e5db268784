/** Reads and writes `results.json`, the results of full runs. The report is written from it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Goal, Result } from './measure.ts';

const FILE = fileURLToPath(new URL('results.json', import.meta.url));
const ROOT = new URL('../', import.meta.url);
const PACKAGES = ['oidc-provider', 'koa', '@koa/router', 'keyv', '@keyv/redis', 'qrcode'];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Memory in GB. */
  readonly memory: number;
  readonly os: string;
  readonly node: string;
  readonly redis: string;
  /** Package versions, by package name. */
  readonly packages: Readonly<Record<string, string>>;
}

export interface Run {
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly machine: Machine;
  readonly result: Result;
}

/** The last full run of each measure, by its name. */
export type Results = Readonly<Record<string, Run>>;

/** Reads the results. JSON has `null` in place of NaN; a missing figure is NaN again, so that it reaches no goal. */
export function readResults(): Results {
  if (!existsSync(FILE)) return {};
  return JSON.parse(readFileSync(FILE, 'utf8'), (_name, value: unknown) => value ?? Number.NaN);
}

export function keepRun(measure: string, run: Run): void {
  writeFileSync(FILE, `${JSON.stringify({ ...readResults(), [measure]: run }, undefined, 2)}\n`);
}

/** Returns `ours` divided by the figure it is compared with, or `ours` itself if there is no such figure. */
export function comparedFigure({ ours, against }: Goal): number {
  return against === undefined ? ours : ours / against.value;
}

/**
 * Returns true if the goal is reached. A missing figure (NaN) counts as not reached. `ours` may be a difference
 * (rotation.ts), which can come out slightly negative; that counts as reached. For KB, see `verdictOf`.
 */
export function isReached(goal: Goal): boolean {
  return comparedFigure(goal) <= goal.limit;
}

export function machineHere(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: Math.round(totalmem() / 1024 ** 3),
    os: osHere(),
    node: process.versions.node,
    redis: redisHere(),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

function osHere(): string {
  const name = existsSync('/etc/os-release')
    ? /^PRETTY_NAME="(.+)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    : undefined;
  return `${name ?? process.platform}, ${execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()}`;
}

function redisHere(): string {
  const output = execFileSync(process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server', ['--version'], {
    encoding: 'utf8',
  });
  return /v=(\S+)/.exec(output)?.[1] ?? 'unknown';
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, ROOT), 'utf8')).version;
}
