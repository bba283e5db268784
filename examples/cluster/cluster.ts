/** Starts Redis, three nodes, nginx in front of them, and the demo RP: each as a process of its own on this machine. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertInstalled, type Child, startChild } from './children.ts';
import { assertNginxInstalled, startNginx } from './nginx.ts';

const REDIS = process.env.REDIS_SERVER_PATH ?? '/usr/bin/redis-server';
const SIZE = 3;

export interface ClusterOptions {
  /** The port of nginx, and so of the issuer. */
  readonly port: number;
  readonly rpPort: number;
  /** The port of Redis; any free one by default. */
  readonly redisPort?: number;
  /** Called with each warning of nginx, and with each line of the other programs. */
  readonly log?: (name: string, line: string) => void;
}

export interface Node {
  readonly name: string;
  readonly url: string;
  readonly metricsUrl: string;
  /** Returns the current process. */
  readonly child: () => Child;
  /** Ends the process if it runs, and starts a new one on the same ports. */
  readonly restart: () => Promise<void>;
}

export interface Cluster {
  readonly issuer: string;
  readonly rpUrl: string;
  readonly redisUrl: string;
  readonly nodes: readonly Node[];
  readonly redis: Child;
  readonly stop: () => Promise<void>;
}

type Log = (line: string) => void;

export async function startCluster({ port, rpPort, log = () => {}, ...options }: ClusterOptions): Promise<Cluster> {
  assertInstalled(REDIS, 'redis-server');
  assertNginxInstalled();
  const [anyPort = 0, ...ports] = await freePorts(1 + 2 * SIZE);
  const redisPort = options.redisPort ?? anyPort;
  const redisUrl = `redis://127.0.0.1:${redisPort}`;
  const issuer = `http://localhost:${port}`;
  const rpUrl = `http://localhost:${rpPort}`;
  const environment = { ISSUER: issuer, RP_URL: rpUrl, REDIS_URL: redisUrl };

  const folder = await mkdtemp(join(tmpdir(), 'qr-login-cluster-'));
  const cleanups = [() => rm(folder, { recursive: true })];
  /**
   * Stops everything in reverse order of the start. The nodes do not depend on each other, so they stop at the same
   * time.
   */
  const stop = async (): Promise<void> => {
    for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
  };

  try {
    const redis = await startRedis(folder, redisPort);
    cleanups.push(redis.stop);

    const servers = Array.from({ length: SIZE }, (_, index) => `server 127.0.0.1:${ports[index]} fail_timeout=1s;`);
    const site = await fillIn('nginx.conf.template', { LISTEN: `localhost:${port}`, NODES: servers.join(' ') });
    const nginx = await startNginx(folder, site, (line) => log('nginx', line));
    cleanups.push(nginx.stop);

    const nodes: Node[] = [];
    cleanups.push(async () => {
      await Promise.all(nodes.map((node) => node.child().stop()));
    });
    // Wait for all nodes, so that the ones that have started can be stopped if another one fails to start.
    const starts = await Promise.allSettled(
      Array.from({ length: SIZE }, (_, index) => {
        const [nodePort = 0, metricsPort = 0] = [ports[index], ports[SIZE + index]];
        return startNode(`node ${index + 1}`, nodePort, metricsPort, environment, log);
      }),
    );
    for (const start of starts) if (start.status === 'fulfilled') nodes.push(start.value);
    for (const start of starts) if (start.status === 'rejected') throw start.reason;

    const rp = await startProgram('rp.ts', { ...environment, PORT: `${rpPort}` }, (line) => log('rp', line));
    cleanups.push(rp.stop);
    return { issuer, rpUrl, redisUrl, nodes, redis, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Starts Redis without persistence: it holds data of a few minutes, and after a loss users start their sign-in again.
 */
function startRedis(folder: string, port: number): Promise<Child> {
  const memory = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const parameters = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...memory];
  return startChild(REDIS, parameters, { ready: /Ready to accept connections/ });
}

async function startNode(
  name: string,
  port: number,
  metricsPort: number,
  environment: Record<string, string>,
  log: (name: string, line: string) => void,
): Promise<Node> {
  const start = (): Promise<Child> =>
    startProgram('node.ts', { ...environment, PORT: `${port}`, METRICS_PORT: `${metricsPort}` }, (line) =>
      log(name, line),
    );
  let child = await start();
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    child: () => child,
    restart: async () => {
      await child.stop();
      child = await start();
    },
  };
}

function startProgram(name: string, environment: Record<string, string>, onLine: Log): Promise<Child> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Use the same TypeScript loader as this process.
  return startChild(process.execPath, [...process.execArgv, file], {
    cwd: root,
    env: { ...process.env, ...environment },
    ready: /^listens on /,
    onLine,
  });
}

/** Fills in `${NAME}` as the nginx image does with its templates. nginx's own `$variables` stay as they are. */
async function fillIn(template: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(new URL(template, import.meta.url), 'utf8');
  return text.replace(/\$\{(\w+)\}/g, (match, name) => values[name] ?? match);
}

/** Returns different free ports. All are kept open until the last one is found, so that no port comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')));
  return ports;
}
