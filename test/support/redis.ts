/** Starts real Redis servers at free ports, in memory only. */
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@keyv/redis';
import { Child } from './child.ts';
import { freePort, LOOPBACK } from './server.ts';
import { eventually } from './until.ts';

const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server';

export interface RedisOptions {
  readonly port?: number;
  /** Additional configuration: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
  /** Additional environment variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a Redis program. @throws Error that says what to install, if Redis is missing */
export async function startRedisProcess(
  name: string,
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<Child> {
  if (!existsSync(REDIS_SERVER)) {
    throw new Error(`${REDIS_SERVER} is missing. Install: sudo apt-get install redis-server`);
  }
  return Child.start(name, [REDIS_SERVER, ...args], { ready, env: { ...process.env, ...env } });
}

/** Sends a command on a new connection, so that it also works while a test breaks other connections. */
export async function sendCommand(url: string, args: readonly string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  // Without a listener an error event would end the process. The caller gets the error from the command anyway.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

export class RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;
  #process: Child;

  private constructor(port: number, { args = [], env = {} }: RedisOptions, folder: string, process: Child) {
    this.port = port;
    this.url = `redis://${LOOPBACK}:${port}`;
    this.#args = args;
    this.#env = env;
    this.#folder = folder;
    this.#process = process;
  }

  static async start({ port, args = [], env = {} }: RedisOptions = {}): Promise<RedisServer> {
    const chosen = port ?? (await freePort(LOOPBACK));
    const folder = mkdtempSync(join(tmpdir(), 'qr-login-redis-'));
    const all = [
      ...['--port', `${chosen}`, '--bind', LOOPBACK, '--dir', folder, '--save', '', '--appendonly', 'no'],
      // A replica gets its copy immediately, and keeps no copy on disk that it could load after a restart.
      ...['--repl-diskless-sync-delay', '0', '--rdb-del-sync-files', 'yes'],
      ...args,
    ];
    try {
      return new RedisServer(chosen, { args: all, env }, folder, await run(chosen, all, env));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  /** Returns a matching line of the log. If there is none yet, waits for it. A restart begins a new log. */
  untilLogged(pattern: RegExp): Promise<string> {
    return this.#process.firstLine(pattern);
  }

  command(...args: string[]): Promise<unknown> {
    return sendCommand(this.url, args);
  }

  /** Returns one field of `INFO`: `info('used_memory')`. */
  async info(field: string): Promise<string> {
    const lines = `${await this.command('INFO', 'everything')}`.split('\r\n');
    const line = lines.find((candidate) => candidate.startsWith(`${field}:`));
    if (line === undefined) throw new Error(`INFO has no field ${field}`);
    return line.slice(field.length + 1);
  }

  /** Lets the next save to disk fail, and waits for that. Redis then refuses writes if it is configured to save. */
  async failToSave(): Promise<void> {
    // A folder cannot be replaced by a file.
    mkdirSync(join(this.#folder, 'dump.rdb'));
    await this.command('BGSAVE');
    await eventually('the save has failed', async () => (await this.info('rdb_last_bgsave_status')).trim() === 'err');
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  async kill(): Promise<void> {
    await this.#process.end('SIGKILL');
  }

  /** Starts a new process at the same port, without the data of the previous one. */
  async restart(): Promise<void> {
    await this.kill();
    this.#process = await run(this.port, this.#args, this.#env);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a read-only replica. Resolves when it has copied all data and receives every change. */
export async function startReplica(
  master: RedisServer,
  { args = [], ...options }: RedisOptions = {},
): Promise<RedisServer> {
  const replica = await RedisServer.start({ ...options, args: ['--replicaof', LOOPBACK, `${master.port}`, ...args] });
  try {
    await replica.untilLogged(/MASTER <-> REPLICA sync: Finished with success/);
    // The master sends changes only after the replica has acknowledged the copy.
    await master.command('WAIT', await master.info('connected_slaves'), '5000');
    return replica;
  } catch (error) {
    await replica.stop();
    throw error;
  }
}

async function run(port: number, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Child> {
  return startRedisProcess(`Redis at ${port}`, args, /Ready to accept connections/, env);
}
