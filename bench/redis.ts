/** Starts a Redis for one measure, in memory only. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import type { Usage } from './programs.ts';

const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server';
const PAGE_BYTES = 4096;
/** The unit of the CPU times in /proc: 1/100 s (proc(5)). */
const CLOCK_TICK_US = 10_000;

export interface Redis {
  readonly url: string;
  readonly usage: () => Promise<Usage>;
  readonly stop: () => Promise<void>;
}

/** Starts Redis at a free port. @throws Error if the redis-server program does not start */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(REDIS_SERVER, settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  // Redis must not outlive this process, even if a measure throws.
  const end = (): boolean => child.kill();
  process.once('exit', end);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('exit', () => reject(new Error(`${REDIS_SERVER} has ended`)));
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    usage: async () => usageOf(child.pid),
    stop: async () => {
      process.removeListener('exit', end);
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

function usageOf(pid: number | undefined): Usage {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  // proc(5): utime and stime are fields 14 and 15. Field 2 may contain spaces, but is in parentheses.
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11);
  return { cpu: (Number(user) + Number(system)) * CLOCK_TICK_US, rss: Number(pages) * PAGE_BYTES };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
