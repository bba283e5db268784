/** The sums of `docs/capacity.md`, done with what was measured. */
import type { Table } from '../measure.ts';
import type { Results } from '../results.ts';
import { rounded } from '../statistics.ts';
import { markdownTable } from './markdown.ts';

/** Where the costs and the sums go. */
export const COSTS = 'costs';
export const SUMS = 'sums';

/** What one of each takes. */
interface Costs {
  /** Of the nodes for a whole sign-in, and the part of it until the browser waits; seconds of a core. */
  readonly signIn: number;
  readonly arrival: number;
  /** Of the nodes for a browser that waits; cores. */
  readonly waiting: number;
  /** Resident, MB: of a browser that waits, and of a process beside that. */
  readonly memory: number;
  readonly process: number;
  /** The same of Redis. */
  readonly redisSignIn: number;
  readonly redisArrival: number;
  readonly redisWaiting: number;
  readonly redisMemory: number;
  /** To a browser that waits, bytes a second. */
  readonly traffic: number;
}

/** What people decide. */
interface Demand {
  /** Browsers that wait at any moment. */
  readonly waiting: number;
  /** Sign-ins that are finished in a second. */
  readonly signIns: number;
  /** How long a browser waits, seconds. */
  readonly stay: number;
}

const DEMANDS: readonly Demand[] = [
  { waiting: 1_000, signIns: 10, stay: 60 },
  { waiting: 10_000, signIns: 100, stay: 60 },
  { waiting: 100_000, signIns: 500, stay: 60 },
  { waiting: 1_000_000, signIns: 1_000, stay: 60 },
  { waiting: 1_000_000, signIns: 1_000, stay: 1_000 },
];

const BUSY = 0.6;
const MOST_WAITING = 15_000;
const LEAST = 3;

const PARKED = 'plugin, in memory, parkStreams';
const THREE_NODES = 'QR, three nodes on Redis';
const UNTIL_IT_WAITS = ['GET /auth', 'GET I', 'GET I/qr/events'];

/** @throws Error where something of it has not been measured */
export function costsText(results: Results): string {
  const costs = costsOf(results);
  const ms = (seconds: number): string => `${rounded(seconds * 1000)} ms`;
  const rows: [string, string, string][] = [
    ['*c*', 'a whole sign-in, CPU of the nodes', ms(costs.signIn)],
    ['*a*', 'of it, until the browser waits', ms(costs.arrival)],
    ['*w*', 'a browser that waits, CPU of the nodes', `${rounded(costs.waiting * 1e6)} µs a second`],
    ['*m*', 'a browser that waits, memory of the nodes', `${kb(costs.memory)} KB`],
    ['*b*', 'a process at work, memory beside that', `${Math.round(costs.process)} MB`],
    ['*c′*', 'a whole sign-in, CPU of Redis', ms(costs.redisSignIn)],
    ['*a′*', 'of it, until the browser waits', ms(costs.redisArrival)],
    ['*w′*', 'a browser that waits, CPU of Redis', `${rounded(costs.redisWaiting * 1e6)} µs a second`],
    ['*m′*', 'a browser that waits, memory of Redis', `${kb(costs.redisMemory)} KB`],
    ['*e*', 'sent to a browser that waits', `${rounded(costs.traffic)} bytes a second`],
  ];
  return markdownTable({ title: '', columns: ['', 'what one takes', 'measured'], rows });
}

/** @throws Error where something of it has not been measured */
export function sumsText(results: Results): string {
  const costs = costsOf(results);
  const rows: Record<string, (demand: Demand) => number | string> = {
    'sign-ins a second, *S*': ({ signIns }) => signIns.toLocaleString('en'),
    'each waits, seconds, *T*': ({ stay }) => stay.toLocaleString('en'),
    'arrivals a second, *A*': (demand) => Math.round(arrivals(demand)).toLocaleString('en'),
    'cores of the nodes: arrivals': (demand) => about(nodeCores(costs, demand).arrivals),
    'cores of the nodes: the rest of the sign-ins': (demand) => about(nodeCores(costs, demand).rest),
    'cores of the nodes: waiting': (demand) => about(nodeCores(costs, demand).waiting),
    'processes, *P*': (demand) => processes(costs, demand),
    'memory of the nodes, GB': (demand) =>
      about((processes(costs, demand) * costs.process + demand.waiting * costs.memory) / 1024),
    'cores of Redis': (demand) => about(redisCores(costs, demand)),
    'memory of Redis for what waits, GB': ({ waiting }) => about((waiting * costs.redisMemory) / 1024),
    'to browsers that wait, Mbit/s': ({ waiting }) => about((waiting * costs.traffic * 8) / 1e6),
  };
  return markdownTable({
    title: '',
    columns: ['browsers that wait, *N*', ...DEMANDS.map(({ waiting }) => waiting.toLocaleString('en'))],
    rows: Object.entries(rows).map(([name, sum]) => [name, ...DEMANDS.map(sum)]),
  });
}

function arrivals({ waiting, stay }: Demand): number {
  return waiting / stay;
}

function nodeCores(costs: Costs, demand: Demand): { arrivals: number; rest: number; waiting: number } {
  return {
    arrivals: arrivals(demand) * costs.arrival,
    rest: demand.signIns * (costs.signIn - costs.arrival),
    waiting: demand.waiting * costs.waiting,
  };
}

function processes(costs: Costs, demand: Demand): number {
  const { arrivals, rest, waiting } = nodeCores(costs, demand);
  const cores = arrivals + rest + waiting;
  return Math.max(LEAST, Math.ceil(cores / BUSY), Math.ceil(demand.waiting / MOST_WAITING));
}

function redisCores(costs: Costs, demand: Demand): number {
  const rest = costs.redisSignIn - costs.redisArrival;
  return arrivals(demand) * costs.redisArrival + demand.signIns * rest + demand.waiting * costs.redisWaiting;
}

function costsOf(results: Results): Costs {
  const throughput = tableOf(results, 'throughput', 'Sign-ins a second');
  const steps = tableOf(results, 'sign-in', 'CPU of each request: QR, new browser, check code');
  const nodes = tableOf(results, 'scale', 'waiting over three processes');
  const rotation = tableOf(results, 'rotation', 'Rotation');
  const sum = (names: readonly string[], column: string): number =>
    names.reduce((total, name) => total + cell(nodes, name, column), 0);
  const each = ['node 1', 'node 2', 'node 3'];
  const waiting = sum(each, 'waiting');
  const all = steps.rows.map(([name]) => String(name));
  const micros = (names: readonly string[]): number =>
    names.reduce((total, name) => total + cell(steps, name, 'µs'), 0);
  const untilItWaits = micros(UNTIL_IT_WAITS) / micros(all);
  const signIn = cell(throughput, THREE_NODES, 'CPU of the nodes, ms a sign-in') / 1000;
  const redisSignIn = cell(throughput, THREE_NODES, 'CPU of Redis, ms a sign-in') / 1000;
  const cores = '% of a core while nothing happens';
  // With so few that wait that they do not matter.
  const process = cell(tableOf(results, 'scale', 'One process'), PARKED, 'RSS, MB');
  const events = cell(rotation, 'plugin, in memory', 'events a second');
  return {
    signIn,
    arrival: signIn * untilItWaits,
    waiting: sum(each, cores) / 100 / waiting,
    memory: (sum(each, 'RSS, MB') - each.length * process) / waiting,
    process,
    redisSignIn,
    redisArrival: redisSignIn * untilItWaits,
    redisWaiting: sum(['Redis'], cores) / 100 / waiting,
    redisMemory: sum(['Redis'], 'RSS, MB') / waiting,
    traffic: (events * cell(rotation, 'plugin, in memory', 'bytes an event, on the wire')) / waitingIn(rotation),
  };
}

function tableOf(results: Results, measure: string, title: string): Table {
  const table = results[measure]?.result.tables.find((one) => one.title.includes(title));
  if (table === undefined) throw new Error(`"${title}" has not been measured: npm run bench -- ${measure}`);
  return table;
}

/** The first row of this name is it. */
function cell({ title, columns, rows }: Table, name: string, column: string): number {
  const value = rows.find(([first]) => first === name)?.[columns.indexOf(column)];
  if (typeof value !== 'number') throw new Error(`"${title}" has no figure for "${name}", "${column}"`);
  return value;
}

/** As its title says. */
function waitingIn({ title }: Table): number {
  return Number(/(\d+) waiting/.exec(title)?.[1]);
}

/** More digits would promise too much. */
function about(value: number): number {
  return Number(value.toPrecision(2));
}

function kb(megabytes: number): number {
  return rounded(megabytes * 1024);
}
