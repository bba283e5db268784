/** One Redis Sentinel, which is enough to make a replica the master. */
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { type RedisServer, sendCommand, startRedisProcess } from './redis.ts';
import { freePort, LOOPBACK } from './server.ts';
import { eventually } from './until.ts';

const MASTER = 'main';

export class Sentinel {
  readonly port: number;
  readonly #process: Child;
  readonly #folder: string;

  constructor(port: number, process: Child, folder: string) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
  }

  /** For `createSentinel`, or `KeyvRedis` itself. */
  get options(): { name: string; sentinelRootNodes: { host: string; port: number }[] } {
    return { name: MASTER, sentinelRootNodes: [{ host: LOOPBACK, port: this.port }] };
  }

  /** It asks the replicas how they are, and promotes none before that; it does not say when it knows. */
  async knows(replicas: number): Promise<void> {
    await eventually('Sentinel has found the replicas', async () => {
      const known = `${await this.#command('SENTINEL', 'REPLICAS', MASTER)}`;
      return known.split('master-link-status,ok').length > replicas;
    });
  }

  /** Returns the port of the master as the Sentinel knows it. */
  async masterPort(): Promise<number> {
    const address = await this.#command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER);
    return Number(Array.isArray(address) ? address[1] : undefined);
  }

  /** Resolves with the port of the next master, once a replica has become that. */
  async switched(): Promise<number> {
    const line = await this.#process.next(/\+switch-master /);
    return Number(line.split(' ').at(-1));
  }

  /** Makes a replica the master although the master lives. @returns the port of the new master */
  async failover(): Promise<number> {
    const [port] = await Promise.all([this.switched(), this.#command('SENTINEL', 'FAILOVER', MASTER)]);
    return port;
  }

  async stop(): Promise<void> {
    await this.#process.end('SIGKILL');
    await rm(this.#folder, { recursive: true });
  }

  #command(...args: string[]): Promise<unknown> {
    return sendCommand(`redis://${LOOPBACK}:${this.port}`, args);
  }
}

/** Resolves once it knows the master, and all of these replicas. */
export async function startSentinel(master: RedisServer, ...replicas: readonly RedisServer[]): Promise<Sentinel> {
  const port = await freePort(LOOPBACK);
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-sentinel-'));
  let process: Child | undefined;
  try {
    // It writes to this file what it learns.
    const file = join(folder, 'sentinel.conf');
    await writeFile(file, configuration(port, folder, master));
    process = await startRedisProcess(`Sentinel at ${port}`, [file, '--sentinel'], /\+monitor master /);
    const sentinel = new Sentinel(port, process, folder);
    await sentinel.knows(replicas.length);
    return sentinel;
  } catch (error) {
    await process?.end('SIGKILL');
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** One vote is enough, and the master is missed after half a second. */
function configuration(port: number, folder: string, master: RedisServer): string {
  return `
    port ${port}
    bind ${LOOPBACK}
    dir ${folder}
    sentinel monitor ${MASTER} ${LOOPBACK} ${master.port} 1
    sentinel down-after-milliseconds ${MASTER} 500
    sentinel failover-timeout ${MASTER} 2000
  `;
}
