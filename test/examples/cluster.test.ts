import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as undici from 'undici';
import { startNginx } from '../../examples/cluster/nginx.ts';
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

/** The data about the cluster that its output in a terminal contains. */
interface Cluster {
  readonly program: Child;
  readonly issuer: string;
  readonly rpUrl: string;
  readonly redisUrl: string;
  readonly nodes: readonly ClusterNode[];
}

describe('npm run cluster', () => {
  let ports: Ports;
  /** The folder for the files and keys of the cluster. It is empty at first. */
  let folder: string;
  let cluster: Cluster;

  before(async () => {
    ports = { port: await freePort(), rpPort: await freePort(), redisPort: await freePort('127.0.0.1') };
    folder = await mkdtemp(join(tmpdir(), 'qr-login-test-'));
    // If root starts nginx, its workers run as another user.
    await chmod(folder, 0o711);
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  describe('started for the first time', () => {
    before(async function () {
      // Seven processes start, five of them Node.js, which takes a minute on a machine with a load of 20.
      this.timeout(180_000);
      cluster = await startCluster(ports, folder);
    });

    after(() => cluster?.program.end('SIGTERM'));

    it('prints its addresses, its nodes, and how to stop it', () => {
      const output = cluster.program.lines.join('\n');
      expect(output).to.include(`open http://localhost:${ports.rpPort} and`).and.to.include('npm run phone');
      expect(output).to.include(`http://localhost:${ports.port}, in turn`);
      expect(output).to.include(`redis://127.0.0.1:${ports.redisPort}`).and.to.include('Ctrl-C');
      expect(cluster.nodes.map(({ name }) => name)).to.deep.equal(['node 1', 'node 2', 'node 3']);
      expect(cluster.program.complaints).to.deep.equal([]);
    });

    it('has three healthy nodes that share a Redis', async () => {
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

    it("does not expose the nodes' probes and metrics", async () => {
      for (const path of ['/health', '/alive', '/metrics']) {
        expect((await fetch(cluster.issuer + path)).status).to.equal(404);
      }
    });

    it('signs each user in to their own account through nginx, and has metrics without personal data', async () => {
      const users = ['alice', 'bob', 'alice', 'bob'];
      const begun = await Promise.all(users.map(() => begin(cluster)));
      const pages = await Promise.all(begun.map((one, index) => complete(one, `${users[index]}`)));
      expect(pages.map(userOn)).to.deep.equal(['Alice Liddell', 'Bob Sawyer', 'Alice Liddell', 'Bob Sawyer']);

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
      expect(sum(all, 'qr_login_tickets_total', 'shown')).to.equal(users.length);
      expect(sum(all, 'qr_login_tickets_total', 'finished')).to.equal(users.length);
      expect(sum(all, 'qr_login_sign_in_duration_count')).to.equal(users.length);
      expect(sum(all, 'qr_login_notification_duration_count')).to.equal(users.length);
      await until(async () => sum(await Promise.all(cluster.nodes.map(figures)), 'qr_login_waiting') === 0);

      expect(labels(all)).to.have.all.keys('engine', 'operation', 'state', 'le', 'otel_scope_name');
      const ids = begun.flatMap(({ browser, code }) => [idIn(code), `${browser.at.split('/').at(-1)}`]);
      for (const secret of ['a11ce', 'b0b', ...users, ...ids]) expect(all.join('\n')).not.to.include(secret);
    });

    it('lets nginx block a flood of authorization requests from one address, but not the streams, polls or silent renewals of that address', async () => {
      const flooding = networkFrom('127.0.0.2');
      const { browser, stream } = await begin(cluster);
      browser.network = flooding;
      const flood = await floodUntilRefused(flooding, `${cluster.issuer}/auth?client_id=x`);
      expect(flood.headers.get('retry-after')).to.equal('10');
      expect(await flood.json()).to.include({ error: 'too_many_requests' });

      const renewal = await flooding(`${cluster.issuer}/auth?client_id=x&prompt=none`, { redirect: 'manual' });
      expect(renewal.status).to.equal(400);
      expect((await browser.ticket()).state).to.equal('waiting');
      const another = await browser.events();
      expect((await another.ticket()).state).to.equal('waiting');
      expect((await fetch(`${cluster.issuer}/auth?client_id=x`)).status, 'from another address').to.equal(400);

      for (const open of [stream, another]) open.close();
      await until(async () => sum(await Promise.all(cluster.nodes.map(figures)), 'qr_login_waiting') === 0);
    });

    it('configures nginx and Redis as compose.yaml does, except for addresses', async () => {
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

    it('replaces a killed node, and a browser that waited at the node signs in with the same code', async () => {
      const { browser, stream, code } = await begin(cluster);
      const waiting = await Promise.all(cluster.nodes.map(async (node) => (await health(node)).waiting));
      expect(waiting.toSorted()).to.deep.equal([0, 0, 1]);
      const node = cluster.nodes[waiting.indexOf(1)];
      if (node === undefined) throw new Error('no node has a waiting browser');

      const replaced = cluster.program.nextLine(/had ended, and is there again/);
      process.kill(node.pid, 'SIGKILL');
      await readToEnd(stream);
      const again = await browser.events();
      expect((await again.ticket()).state).to.equal('waiting');
      const page = await complete({ browser, stream: again, code }, 'bob');
      expect(userOn(page)).to.equal('Bob Sawyer');

      const [, name, pid] = /^\[(node \d)\] .* as process (\d+)$/.exec(await replaced) ?? [];
      expect(name).to.equal(node.name);
      expect(Number(pid)).not.to.equal(node.pid);
      expect((await health(node)).ok).to.equal(true);
    });

    it('ends on SIGTERM while a browser waits, and leaves no processes or files', () => expectNothingLeft('SIGTERM'));
  });

  inFullSuite(() =>
    describe('started again on the same ports', () => {
      before(async function () {
        this.timeout(180_000);
        cluster = await startCluster(ports, folder);
      });

      after(() => cluster?.program.end('SIGTERM'));

      it('ends on SIGINT while a browser waits, and leaves no processes or files', () => expectNothingLeft('SIGINT'));
    }),
  );

  it('prints one line with the package to install if Redis is missing, and leaves no files', async () => {
    const problem = await run(ports, folder, /never/, { REDIS_SERVER_PATH: '/nowhere/redis-server' }).catch(String);
    expect(problem).to.match(
      /has ended:\n\/nowhere\/redis-server is missing\. Install: sudo apt-get install redis-server$/,
    );
    expect(await filesLeftIn(folder)).to.deep.equal([]);
  });

  async function expectNothingLeft(signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
    const { stream } = await begin(cluster);
    const lines = cluster.program.lines.join('\n');
    const [, node] = [...lines.matchAll(/process (\d+)$/gm)].at(-1) ?? [];
    const processes = await descendants(await parentOf(Number(node)));
    // The cluster has at least these processes: Redis, nginx and its worker, three nodes, and the RP.
    expect(processes).to.have.length.of.at.least(7);

    const ended = cluster.program.end(signal);
    expect(await readToEnd(stream)).to.match(/^retry: \d+$/);
    // The exit code would be 1 if a program had not ended in time.
    expect(await ended).to.deep.equal({ code: 0, signal: null });

    expect((await parents()).filter(([process]) => processes.includes(process))).to.deep.equal([]);
    const urls = [cluster.issuer, cluster.rpUrl, cluster.redisUrl];
    for (const url of [...urls, ...cluster.nodes.flatMap((node) => [node.url, node.metricsUrl])]) {
      expect(await isListening(new URL(url)), url).to.equal(false);
    }
    expect(await filesLeftIn(folder)).to.deep.equal([]);
    expect(cluster.program.complaints).to.deep.equal([]);
  }
});

describe('examples/cluster/compose.yaml', () => {
  it('gives nginx a valid configuration with each of its nodes', async () => {
    const compose = await readFile(new URL('compose.yaml', FOLDER), 'utf8');
    const template = await readFile(new URL('nginx.conf.template', FOLDER), 'utf8');
    const { LISTEN = '', NODES = '', ...others } = nginxEnvironment(compose);
    expect(others).to.deep.equal({});
    // nginx proxies to the services of this file, on the port that they listen on.
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

  it('sets only variables that its programs read', async () => {
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

/** Returns a `fetch` whose connections come from another loopback address. */
function networkFrom(localAddress: string): typeof fetch {
  const dispatcher = new undici.Agent({ localAddress, connect: { family: 4 } });
  const network = (url: undici.RequestInfo, init?: undici.RequestInit): Promise<undici.Response> =>
    undici.fetch(url, { ...init, dispatcher });
  return network as unknown as typeof fetch;
}

/** Sends more requests than nginx allows, fifty at a time. @returns nginx's first refusal */
async function floodUntilRefused(network: typeof fetch, url: string): Promise<Response> {
  for (let sent = 0; sent < 5_000; sent += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => network(url)));
    const refused = answers.find(({ status }) => status === 429);
    if (refused !== undefined) return refused;
  }
  throw new Error('nginx refuses no request');
}

async function startCluster(ports: Ports, folder: string): Promise<Cluster> {
  const program = await run(ports, folder, /^Ctrl-C ends/);
  const nodes = program.lines.flatMap((line) => {
    const match = /^ {2}(node \d) {2}(\S+)\/health, Prometheus: (\S+), process (\d+)$/.exec(line);
    const [, name = '', url = '', metricsUrl = '', pid] = match ?? [];
    return match === null ? [] : [{ name, url, metricsUrl, pid: Number(pid) }];
  });
  return {
    program,
    nodes,
    issuer: `http://localhost:${ports.port}`,
    rpUrl: `http://localhost:${ports.rpPort}`,
    redisUrl: `redis://127.0.0.1:${ports.redisPort}`,
  };
}

/** A browser that shows the code of a sign-in at the demo RP. */
interface BegunSignIn {
  readonly browser: BrowserVisitor;
  readonly stream: EventStream;
  readonly code: string;
}

/** Starts a sign-in at the demo RP, up to the code. */
async function begin({ issuer, rpUrl }: Cluster): Promise<BegunSignIn> {
  // The demo RP itself sends the token request, so the test needs no credentials of the RP.
  const browser = new BrowserVisitor({ issuer, client: { id: 'demo-rp', secret: '', callback: '' } });
  browser.at = (await browser.agent.follow(`${rpUrl}/login`)).url.href;
  const stream = await browser.events();
  await stream.ticket('waiting');
  const code = await browser.code();
  expect(code.startsWith(`${issuer}/qr/`)).to.equal(true);
  return { browser, stream, code };
}

/** Completes the sign-in, up to the demo RP's page. The browser continues when its stream reports a change. */
async function complete({ browser, stream, code }: BegunSignIn, name: string): Promise<Answer> {
  const phone = new PhoneVisitor(browser.site);
  await phone.signInAt(code, name);
  expect((await phone.scan(code)).status).to.equal(200);
  await stream.ticket('scanned');
  const { checkCode } = await phone.approve();
  // Loopback addresses do not prove that browser and phone share a network, so a check code is required.
  expect(checkCode).to.match(/^\d{6}$/);
  await stream.ticket('approved');
  stream.close();
  const finished = await browser.finish(`${checkCode}`);
  // The example asks for consent on the phone (`consent: () => 'phone'`), so the browser gets no consent page.
  return browser.agent.follow(`${finished.json().redirectTo}`);
}

function userOn({ text }: Answer): string | undefined {
  return /You are signed in as <b>(.*?)<\/b>/.exec(text)?.[1];
}

/** Reads a stream until it ends or breaks. @returns its last block */
async function readToEnd(stream: EventStream): Promise<string> {
  let last = '';
  try {
    for (let block = await stream.block(); block !== undefined; block = await stream.block()) last = block;
  } catch {
    // The connection was cut.
  }
  return last;
}

async function health({ url }: ClusterNode): Promise<Record<string, unknown>> {
  return (await fetch(`${url}/health`)).json() as Promise<Record<string, unknown>>;
}

async function figures({ metricsUrl }: ClusterNode): Promise<string> {
  return (await fetch(metricsUrl)).text();
}

/** Adds up a metric over all nodes. @param value only the samples with this label value */
function sum(texts: readonly string[], name: string, value = ''): number {
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith(`${name}{`));
  const wanted = value === '' ? lines : lines.filter((line) => line.includes(`="${value}"`));
  return wanted.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Returns the names of all labels of the plugin's metrics. */
function labels(texts: readonly string[]): Set<string> {
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('qr_login_'));
  return new Set(lines.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, name = '']) => name)));
}

/** Returns the variables that compose.yaml gives to nginx for its template. */
function nginxEnvironment(compose: string): Record<string, string> {
  const [, block = ''] = /\n {2}nginx:\n(?: {4}.*\n)*? {4}environment:\n((?: {6}.*\n)+)/.exec(compose) ?? [];
  // Joins the lines of a folded text (>-).
  const folded = block.replaceAll(/(?: >-)?\n {8}/g, ' ');
  return Object.fromEntries([...folded.matchAll(/^ {6}(\w+): +(.*)$/gm)].map(([, name, value]) => [name, value]));
}

/** Fills in the template as the nginx image does. */
function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\$\{(\w+)\}/g, (match, name) => values[name] ?? match);
}

/** Returns the files that a stopped cluster has left, apart from its keys, which it keeps. */
async function filesLeftIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name !== 'secrets.json');
}

/** Returns the nginx configuration of the running cluster. */
async function nginxConf(folder: string): Promise<string> {
  const own = (await readdir(folder)).find((name) => name.startsWith('qr-login-cluster-'));
  return readFile(join(folder, `${own}`, 'nginx.conf'), 'utf8');
}

function withoutAddresses(conf: string): string {
  return conf.replaceAll(/\blisten \S+;/g, 'listen;').replaceAll(/\bserver \S+:\d+/g, 'server');
}

/** Returns all processes with their parents. */
async function parents(): Promise<[process: number, parent: number][]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  // Some processes end meanwhile.
  const results = await Promise.allSettled(
    processes.map(async (pid) => [pid, await parentOf(pid)] as [number, number]),
  );
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function parentOf(pid: number): Promise<number> {
  const [, parent] = /^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(parent);
}

async function descendants(ancestor: number): Promise<number[]> {
  const all = await parents();
  const found = [ancestor];
  // The loop also visits the processes that are added during the loop.
  for (const parent of found)
    found.push(...all.filter(([, parentPid]) => parentPid === parent).map(([process]) => process));
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
