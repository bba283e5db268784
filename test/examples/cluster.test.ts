import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startNginx } from '../../examples/nginx.ts';
import type { Answer, EventStream } from '../support/agent.ts';
import { Child } from '../support/child.ts';
import { idIn } from '../support/codes.ts';
import { inFullSuite } from '../support/full-suite.ts';
import { sendCommand } from '../support/redis.ts';
import { freePort } from '../support/server.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';
import { ENVIRONMENT, ROOT } from './example-program.ts';

const FOLDER = new URL('examples/cluster/', ROOT);

interface Ports {
  readonly port: number;
  readonly rpPort: number;
  readonly redisPort: number;
}

interface ClusterNode {
  readonly name: string;
  readonly url: string;
  readonly metricsUrl: string;
  readonly pid: number;
}

/** As one who has started it in a terminal knows it: from what it says. */
interface Cluster {
  readonly program: Child;
  readonly issuer: string;
  readonly rpUrl: string;
  readonly redisUrl: string;
  readonly nodes: readonly ClusterNode[];
}

describe('npm run cluster', () => {
  let ports: Ports;
  /** Where it keeps its files and keys, of which there are none yet. */
  let folder: string;
  let cluster: Cluster;

  before(async () => {
    ports = { port: await freePort(), rpPort: await freePort(), redisPort: await freePort('127.0.0.1') };
    folder = await mkdtemp(join(tmpdir(), 'qr-login-test-'));
    // nginx, started by root, works as somebody else.
    await chmod(folder, 0o711);
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  describe('where it is started for the first time', () => {
    before(async function () {
      // Seven processes start, five of them Node.js: a machine with a load of 20 takes a minute for that.
      this.timeout(180_000);
      cluster = await startCluster(ports, folder);
    });

    after(() => cluster?.program.end('SIGTERM'));

    it('says what to open, who is there, and how it ends', () => {
      const said = cluster.program.lines.join('\n');
      expect(said).to.include(`open http://localhost:${ports.rpPort} and`).and.to.include('npm run phone');
      expect(said).to.include(`http://localhost:${ports.port}, in turn`);
      expect(said).to.include(`redis://127.0.0.1:${ports.redisPort}`).and.to.include('Ctrl-C');
      expect(cluster.nodes.map(({ name }) => name)).to.deep.equal(['node 1', 'node 2', 'node 3']);
      expect(cluster.program.complaints).to.deep.equal([]);
    });

    it('has three nodes that are well and share a Redis', async () => {
      for (const node of cluster.nodes) {
        await until(async () => (await health(node)).signals === 'up');
        expect(await health(node)).to.deep.equal({
          ok: true,
          engine: 'redis',
          store: 'up',
          signals: 'up',
          waiting: 0,
          closing: false,
        });
      }
    });

    it('keeps from the world how the nodes are', async () => {
      for (const path of ['/health', '/alive', '/metrics']) {
        expect((await fetch(cluster.issuer + path)).status).to.equal(404);
      }
    });

    it('signs everybody in to their own account through nginx, and counts that without saying who', async () => {
      const people = ['alice', 'bob', 'alice', 'bob'];
      const begun = await Promise.all(people.map(() => begin(cluster)));
      const pages = await Promise.all(begun.map((one, index) => complete(one, `${people[index]}`)));
      expect(pages.map(whoIsSignedIn)).to.deep.equal(['Alice Liddell', 'Bob Sawyer', 'Alice Liddell', 'Bob Sawyer']);

      for (const node of cluster.nodes) {
        expect(sum([await figures(node)], 'qr_login_store_duration_count', 'find'), node.name).to.be.above(0);
      }
      const all = await Promise.all(cluster.nodes.map(figures));
      const kinds = all.flatMap((text) => [...text.matchAll(/^# TYPE (qr_login_\w+) (\w+)$/gm)]);
      expect(Object.fromEntries(kinds.map(([, name, kind]) => [name, kind]))).to.deep.equal({
        qr_login_waiting: 'gauge',
        qr_login_tickets_total: 'counter',
        qr_login_sign_in_duration: 'histogram',
        qr_login_notification_duration: 'histogram',
        qr_login_store_duration: 'histogram',
      });
      expect(sum(all, 'qr_login_tickets_total', 'shown')).to.equal(people.length);
      expect(sum(all, 'qr_login_tickets_total', 'finished')).to.equal(people.length);
      expect(sum(all, 'qr_login_sign_in_duration_count')).to.equal(people.length);
      expect(sum(all, 'qr_login_notification_duration_count')).to.equal(people.length);
      await until(async () => sum(await Promise.all(cluster.nodes.map(figures)), 'qr_login_waiting') === 0);

      expect(labels(all)).to.have.all.keys('engine', 'operation', 'state', 'le', 'otel_scope_name');
      const ids = begun.flatMap(({ browser, code }) => [idIn(code), `${browser.at.split('/').at(-1)}`]);
      for (const secret of ['a11ce', 'b0b', ...people, ...ids]) expect(all.join('\n')).not.to.include(secret);
    });

    it('differs from compose.yaml in nothing but addresses', async () => {
      const compose = await readFile(new URL('compose.yaml', FOLDER), 'utf8');
      const template = await readFile(new URL('nginx.conf.template', FOLDER), 'utf8');
      expect(compose).to.include('- ./nginx.conf.template:/etc/nginx/templates/');
      const written = await nginxConf(folder);
      expect(withoutAddresses(written)).to.include(withoutAddresses(fillIn(template, nginxEnvironment(compose))));

      const [, redis] = /command: redis-server (.*)/.exec(compose) ?? [];
      for (const [setting, value] of Object.entries({ save: '', appendonly: 'no', 'maxmemory-policy': 'noeviction' })) {
        expect(redis).to.include(`--${setting} ${value || '""'}`);
        expect(await sendCommand(cluster.redisUrl, ['CONFIG', 'GET', setting])).to.deep.equal([setting, value]);
      }
    });

    it('replaces a node that is killed while somebody waits on it, who signs in with the same code', async () => {
      const { browser, stream, code } = await begin(cluster);
      const waiting = await Promise.all(cluster.nodes.map(async (node) => (await health(node)).waiting));
      expect(waiting.toSorted()).to.deep.equal([0, 0, 1]);
      const node = cluster.nodes[waiting.indexOf(1)];
      if (node === undefined) throw new Error('nobody waits');

      const replaced = cluster.program.next(/had ended, and is there again/);
      process.kill(node.pid, 'SIGKILL');
      await lost(stream);
      const again = await browser.events();
      expect((await again.ticket()).state).to.equal('waiting');
      const page = await complete({ browser, stream: again, code }, 'bob');
      expect(whoIsSignedIn(page)).to.equal('Bob Sawyer');

      const [, name, pid] = /^\[(node \d)\] .* as process (\d+)$/.exec(await replaced) ?? [];
      expect(name).to.equal(node.name);
      expect(Number(pid)).not.to.equal(node.pid);
      expect((await health(node)).ok).to.equal(true);
    });

    it('ends on SIGTERM although a browser waits, and leaves nothing behind', () => leavesNothing('SIGTERM'));
  });

  inFullSuite(() =>
    describe('where it is started again on the same ports', () => {
      before(async function () {
        this.timeout(180_000);
        cluster = await startCluster(ports, folder);
      });

      after(() => cluster?.program.end('SIGTERM'));

      it('ends on SIGINT although a browser waits, and leaves nothing behind', () => leavesNothing('SIGINT'));
    }),
  );

  it('says in one line what to install where Redis is missing, and leaves nothing behind', async () => {
    const problem = await run(ports, folder, /never/, { REDIS_SERVER_PATH: '/nowhere/redis-server' }).catch(String);
    expect(problem).to.match(
      /has ended:\n\/nowhere\/redis-server is missing\. Install: sudo apt-get install redis-server$/,
    );
    expect(await leftIn(folder)).to.deep.equal([]);
  });

  async function leavesNothing(signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
    const { stream } = await begin(cluster);
    const lines = cluster.program.lines.join('\n');
    const [, node] = [...lines.matchAll(/process (\d+)$/gm)].at(-1) ?? [];
    const processes = await descendants(await parentOf(Number(node)));
    // Redis, nginx and its worker, the nodes, the RP, at least.
    expect(processes).to.have.length.of.at.least(7);

    const ended = cluster.program.end(signal);
    expect(await lost(stream)).to.match(/^retry: \d+$/);
    // It exits with 1 where something did not end within its bound.
    expect(await ended).to.deep.equal({ code: 0, signal: null });

    expect((await parents()).filter(([process]) => processes.includes(process))).to.deep.equal([]);
    const urls = [cluster.issuer, cluster.rpUrl, cluster.redisUrl];
    for (const url of [...urls, ...cluster.nodes.flatMap((node) => [node.url, node.metricsUrl])]) {
      expect(await isListening(new URL(url)), url).to.equal(false);
    }
    expect(await leftIn(folder)).to.deep.equal([]);
    expect(cluster.program.complaints).to.deep.equal([]);
  }
});

describe('examples/cluster/compose.yaml', () => {
  it('fills in what nginx takes, with each of its nodes', async () => {
    const compose = await readFile(new URL('compose.yaml', FOLDER), 'utf8');
    const template = await readFile(new URL('nginx.conf.template', FOLDER), 'utf8');
    const { LISTEN = '', NODES = '', ...others } = nginxEnvironment(compose);
    expect(others).to.deep.equal({});
    // What it proxies to are services, on the port that they are told to listen on.
    const services = [...compose.matchAll(/^ {2}(\w+):\n {4}<<: \*node$/gm)].map(([, name]) => name);
    const [, port] = /&environment(?:\n {4}.*)*?\n {4}PORT: (\d+)/.exec(compose) ?? [];
    const servers = services.map((service) => `server ${service}:${port} fail_timeout=1s;`);
    expect(services).to.have.lengthOf(3);
    expect(NODES).to.equal(servers.join(' '));
    expect(compose).to.include(`ISSUER: http://localhost:${LISTEN}\n`).and.to.include(`"${LISTEN}:${LISTEN}"`);

    const troubles: string[] = [];
    const own = await mkdtemp(join(tmpdir(), 'qr-login-test-'));
    const here = { LISTEN: `${await freePort()}`, NODES: NODES.replaceAll(/node\d/g, '127.0.0.1') };
    try {
      const nginx = await startNginx(own, fillIn(template, here), (line) => troubles.push(line));
      await nginx.stop();
    } finally {
      await rm(own, { recursive: true });
    }
    expect(troubles).to.deep.equal([]);
  });

  it('tells its programs nothing that they do not read', async () => {
    const compose = await readFile(new URL('compose.yaml', FOLDER), 'utf8');
    const [, block = ''] = /&environment\n((?: {4}.*\n)+)/.exec(compose) ?? [];
    const names = [...block.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name = '']) => name);
    expect(names).to.include.members(['PORT', 'METRICS_PORT', 'REDIS_URL', 'SECRETS_FILE']);
    const files = ['environment.ts', 'node.ts', '../secrets.ts'];
    const sources = await Promise.all(files.map((file) => readFile(new URL(file, FOLDER), 'utf8')));
    for (const name of names) expect(sources.join('\n')).to.match(new RegExp(`\\b${name}\\b`));
    for (const [, program = ''] of compose.matchAll(/command: node .* (\S+\.ts)$/gm)) {
      expect((await stat(new URL(program, ROOT))).isFile()).to.equal(true);
    }
  });
});

function run({ port, rpPort, redisPort }: Ports, folder: string, ready: RegExp, more = {}): Promise<Child> {
  return Child.start(
    'the cluster',
    [process.execPath, '--import', './scripts/typescript.mjs', 'examples/cluster/start.ts'],
    {
      ready,
      cwd: ROOT,
      env: {
        ...ENVIRONMENT,
        PORT: `${port}`,
        RP_PORT: `${rpPort}`,
        REDIS_PORT: `${redisPort}`,
        TMPDIR: folder,
        SECRETS_FILE: join(folder, 'secrets.json'),
        ...more,
      },
    },
  );
}

async function startCluster(ports: Ports, folder: string): Promise<Cluster> {
  const program = await run(ports, folder, /^Ctrl-C ends/);
  const nodes = program.lines.flatMap((line) => {
    const said = /^ {2}(node \d) {2}(\S+)\/health, Prometheus: (\S+), process (\d+)$/.exec(line);
    const [, name = '', url = '', metricsUrl = '', pid] = said ?? [];
    return said === null ? [] : [{ name, url, metricsUrl, pid: Number(pid) }];
  });
  return {
    program,
    nodes,
    issuer: `http://localhost:${ports.port}`,
    rpUrl: `http://localhost:${ports.rpPort}`,
    redisUrl: `redis://127.0.0.1:${ports.redisPort}`,
  };
}

/** Somebody who looks at the code. */
interface Begun {
  readonly browser: BrowserVisitor;
  readonly stream: EventStream;
  readonly code: string;
}

/** From the demo RP to the code. */
async function begin({ issuer, rpUrl }: Cluster): Promise<Begun> {
  // The demo RP does what an RP does.
  const browser = new BrowserVisitor({ issuer, client: { id: 'demo-rp', secret: '', callback: '' } });
  browser.at = (await browser.agent.follow(`${rpUrl}/login`)).url.href;
  const stream = await browser.events();
  await stream.ticket('waiting');
  const code = await browser.code();
  expect(code.startsWith(`${issuer}/qr/`)).to.equal(true);
  return { browser, stream, code };
}

/** From the code back to the demo RP; the browser goes on when its stream says so. */
async function complete({ browser, stream, code }: Begun, name: string): Promise<Answer> {
  const phone = new PhoneVisitor(browser.site);
  await phone.signInAt(code, name);
  expect((await phone.scan(code)).status).to.equal(200);
  await stream.ticket('scanned');
  const { checkCode } = await phone.approve();
  // This machine's own address says nothing of who is near whom.
  expect(checkCode).to.match(/^\d{6}$/);
  await stream.ticket('approved');
  stream.close();
  const finished = await browser.finish(`${checkCode}`);
  const consent = await browser.agent.follow(`${finished.json().redirectTo}`);
  const granted = await browser.post(`${consent.url}/consent`, {});
  return browser.agent.follow(`${granted.json().redirectTo}`);
}

function whoIsSignedIn({ text }: Answer): string | undefined {
  return /You are signed in as <b>(.*?)<\/b>/.exec(text)?.[1];
}

/** Reads up to the end, whether it is a good one or not. @returns what was said last */
async function lost(stream: EventStream): Promise<string> {
  let last = '';
  try {
    for (let block = await stream.block(); block !== undefined; block = await stream.block()) last = block;
  } catch {
    // Cut off in the middle.
  }
  return last;
}

async function health({ url }: ClusterNode): Promise<Record<string, unknown>> {
  return (await fetch(`${url}/health`)).json() as Promise<Record<string, unknown>>;
}

async function figures({ metricsUrl }: ClusterNode): Promise<string> {
  return (await fetch(metricsUrl)).text();
}

/** Over all nodes, of those that have this value as a label. */
function sum(texts: readonly string[], name: string, value = ''): number {
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith(`${name}{`));
  const wanted = value === '' ? lines : lines.filter((line) => line.includes(`="${value}"`));
  return wanted.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** What the plugin's figures are told apart by. */
function labels(texts: readonly string[]): Set<string> {
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('qr_login_'));
  return new Set(lines.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, name = '']) => name)));
}

/** What compose.yaml gives to nginx to fill in. */
function nginxEnvironment(compose: string): Record<string, string> {
  const [, block = ''] = /\n {2}nginx:\n(?: {4}.*\n)*? {4}environment:\n((?: {6}.*\n)+)/.exec(compose) ?? [];
  // A folded text is one line.
  const folded = block.replaceAll(/(?: >-)?\n {8}/g, ' ');
  return Object.fromEntries([...folded.matchAll(/^ {6}(\w+): +(.*)$/gm)].map(([, name, value]) => [name, value]));
}

/** As the nginx image does. */
function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\$\{(\w+)\}/g, (written, name) => values[name] ?? written);
}

/** What a cluster that has ended has not cleaned up; it may keep its keys. */
async function leftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== 'secrets.json');
}

/** What the running cluster has given to nginx. */
async function nginxConf(folder: string): Promise<string> {
  const own = (await readdir(folder)).find((name) => name.startsWith('qr-login-cluster-'));
  return readFile(join(folder, `${own}`, 'nginx.conf'), 'utf8');
}

function withoutAddresses(conf: string): string {
  return conf.replaceAll(/\blisten \S+;/g, 'listen;').replaceAll(/\bserver \S+:\d+/g, 'server');
}

/** Each process and the one that started it. */
async function parents(): Promise<[process: number, parent: number][]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  // Some end while they are asked for.
  const asked = await Promise.allSettled(processes.map(async (pid) => [pid, await parentOf(pid)] as [number, number]));
  return asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

async function parentOf(pid: number): Promise<number> {
  const [, parent] = /^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(parent);
}

async function descendants(ancestor: number): Promise<number[]> {
  const all = await parents();
  const found = [ancestor];
  // Those that are found while it runs are gone through as well.
  for (const parent of found) found.push(...all.filter(([, of]) => of === parent).map(([process]) => process));
  return found;
}

function isListening({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
