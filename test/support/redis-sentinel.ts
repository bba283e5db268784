/** Starts one Redis Sentinel, which is enough to promote a replica. */
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

  /** The options for `createSentinel` or `KeyvRedis`. */
  get options(): { name: string; sentinelRootNodes: { host: string; port: number }[] } {
    return { name: MASTER, sentinelRootNodes: [{ host: LOOPBACK, port: this.port }] };
  }

  /**
   * Waits until the Sentinel knows this many healthy replicas. The Sentinel promotes no replica in an unknown state,
   * and emits no event when it learns the state.
   */
  async untilItKnows(replicas: number): Promise<void> {
    await eventually('Sentinel has found the replicas', async () => {
      const known = `${await this.#command('SENTINEL', 'REPLICAS', MASTER)}`;
      return known.split('master-link-status,ok').length > replicas;
    });
  }

  /** Returns the port of the current master, according to the Sentinel. */
  async masterPort(): Promise<number> {
    const address = await this.#command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER);
    return Number(Array.isArray(address) ? address[1] : undefined);
  }

  /** Waits until a replica has become the master. @returns its port */
  async untilSwitched(): Promise<number> {
    const line = await this.#process.nextLine(/\+switch-master /);
    return Number(line.split(' ').at(-1));
  }

  /** Promotes a replica even though the master is still running. @returns the port of the new master */
  async failover(): Promise<number> {
    const [port] = await Promise.all([this.untilSwitched(), this.#command('SENTINEL', 'FAILOVER', MASTER)]);
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

/** Starts a Sentinel. Resolves when it knows the master and all of these replicas. */
export async function startSentinel(master: RedisServer, ...replicas: readonly RedisServer[]): Promise<Sentinel> {
  const port = await freePort(LOOPBACK);
  const folder = mkdtempSync(join(tmpdir(), 'qr-login-sentinel-'));
  let process: Child | undefined;
  try {
    // Sentinel also writes its state to this file.
    const file = join(folder, 'sentinel.conf');
    await writeFile(file, configuration(port, folder, master));
    process = await startRedisProcess(`Sentinel at ${port}`, [file, '--sentinel'], /\+monitor master /);
    const sentinel = new Sentinel(port, process, folder);
    await sentinel.untilItKnows(replicas.length);
    return sentinel;
  } catch (error) {
    await process?.end('SIGKILL');
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** Returns a configuration in which one vote is enough and the master counts as down after half a second. */
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
