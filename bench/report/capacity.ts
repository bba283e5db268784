/** Computes the costs and the capacity sums of `docs/performance.md` from the results. */
import type { Table } from '../measure.ts';
import type { Results } from '../results.ts';
import { rounded } from '../statistics.ts';
import { markdownTable } from './markdown.ts';

/** The names of the markers between which the two tables are written. */
export const COSTS = 'costs';
export const SUMS = 'sums';

/** The cost of one sign-in, one waiting browser and one process. */
interface Costs {
  /** CPU of the nodes in seconds: a whole sign-in, and the part of it until the browser waits. */
  readonly signIn: number;
  readonly arrival: number;
  /** CPU of the nodes for a waiting browser, in cores. */
  readonly waiting: number;
  /** Resident memory in MB: of a waiting browser, and of a process without waiting browsers. */
  readonly memory: number;
  readonly process: number;
  /** The same costs in Redis. */
  readonly redisSignIn: number;
  readonly redisArrival: number;
  readonly redisWaiting: number;
  readonly redisMemory: number;
  /** Bytes a second that are sent to a waiting browser. */
  readonly traffic: number;
}

/** The load that a deployment plans for. */
interface Demand {
  /** Browsers that wait at the same time. */
  readonly waiting: number;
  /** Finished sign-ins a second. */
  readonly signIns: number;
  /** Seconds that a browser waits. */
  readonly stay: number;
}

const DEMANDS: readonly Demand[] = [
  { waiting: 1_000, signIns: 10, stay: 60 },
  { waiting: 10_000, signIns: 100, stay: 60 },
  { waiting: 100_000, signIns: 500, stay: 60 },
  { waiting: 1_000_000, signIns: 1_000, stay: 60 },
  { waiting: 1_000_000, signIns: 1_000, stay: 1_000 },
];

/** The share of a core up to which a node answers without delay. */
const MAX_LOAD = 0.6;
/** Waiting browsers that one process may have. */
const MAX_WAITING = 15_000;
/** The fewest processes, so that one may die while another one is replaced. */
const MIN_PROCESSES = 3;

const PARKED = 'plugin, in memory, parkStreams';
const THREE_NODES = 'QR, three nodes on Redis';
const REQUESTS_UNTIL_WAITING = ['GET /auth', 'GET I', 'GET I/qr/events'];

/** Returns the table of the costs. @throws Error if one of the figures has not been measured */
export function costsText(results: Results): string {
  const costs = costsOf(results);
  const ms = (seconds: number): string => `${rounded(seconds * 1000)} ms`;
  const rows: [string, string, string][] = [
    ['*c*', 'CPU of the nodes, a whole sign-in', ms(costs.signIn)],
    ['*a*', 'the part of *c* until the browser waits', ms(costs.arrival)],
    ['*w*', 'CPU of the nodes, a waiting browser', `${rounded(costs.waiting * 1e6)} µs a second`],
    ['*m*', 'memory of the nodes, a waiting browser', `${kb(costs.memory)} KB`],
    ['*b*', 'memory of a process without waiting browsers', `${Math.round(costs.process)} MB`],
    ['*c′*', 'CPU of Redis, a whole sign-in', ms(costs.redisSignIn)],
    ['*a′*', 'the part of *c′* until the browser waits', ms(costs.redisArrival)],
    ['*w′*', 'CPU of Redis, a waiting browser', `${rounded(costs.redisWaiting * 1e6)} µs a second`],
    ['*m′*', 'memory of Redis, a waiting browser', `${kb(costs.redisMemory)} KB`],
    ['*e*', 'network, to a waiting browser', `${rounded(costs.traffic)} bytes a second`],
  ];
  return markdownTable({ title: '', columns: ['', 'cost', 'measured'], rows });
}

/** Returns the table of the sums. @throws Error if one of the figures has not been measured */
export function sumsText(results: Results): string {
  const costs = costsOf(results);
  const rows: Record<string, (demand: Demand) => number | string> = {
    'sign-ins a second, *S*': ({ signIns }) => signIns.toLocaleString('en'),
    'seconds that each waits, *T*': ({ stay }) => stay.toLocaleString('en'),
    'arrivals a second, *A*': (demand) => Math.round(arrivals(demand)).toLocaleString('en'),
    'cores of the nodes: arrivals': (demand) => roundToTwoDigits(nodeCores(costs, demand).arrivals),
    'cores of the nodes: the rest of the sign-ins': (demand) => roundToTwoDigits(nodeCores(costs, demand).rest),
    'cores of the nodes: waiting': (demand) => roundToTwoDigits(nodeCores(costs, demand).waiting),
    'processes, *P*': (demand) => processes(costs, demand),
    'memory of the nodes, GB': (demand) =>
      roundToTwoDigits((processes(costs, demand) * costs.process + demand.waiting * costs.memory) / 1024),
    'cores of Redis': (demand) => roundToTwoDigits(redisCores(costs, demand)),
    'memory of Redis for waiting browsers, GB': ({ waiting }) => roundToTwoDigits((waiting * costs.redisMemory) / 1024),
    'network to waiting browsers, Mbit/s': ({ waiting }) => roundToTwoDigits((waiting * costs.traffic * 8) / 1e6),
  };
  return markdownTable({
    title: '',
    columns: ['waiting browsers, *N*', ...DEMANDS.map(({ waiting }) => waiting.toLocaleString('en'))],
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
  return Math.max(MIN_PROCESSES, Math.ceil(cores / MAX_LOAD), Math.ceil(demand.waiting / MAX_WAITING));
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
  const nodeNames = ['node 1', 'node 2', 'node 3'];
  const waiting = sum(nodeNames, 'waiting');
  const requests = steps.rows.map(([name]) => String(name));
  const micros = (names: readonly string[]): number =>
    names.reduce((total, name) => total + cell(steps, name, 'µs'), 0);
  const shareUntilWaiting = micros(REQUESTS_UNTIL_WAITING) / micros(requests);
  const signIn = cell(throughput, THREE_NODES, 'CPU of the nodes, ms a sign-in') / 1000;
  const redisSignIn = cell(throughput, THREE_NODES, 'CPU of Redis, ms a sign-in') / 1000;
  const cores = '% of a core while nothing happens';
  // The first row of the table: with 1,000 waiting browsers, their share is small.
  const process = cell(tableOf(results, 'scale', 'One process'), PARKED, 'RSS, MB');
  const events = cell(rotation, 'plugin, in memory', 'events a second');
  return {
    signIn,
    arrival: signIn * shareUntilWaiting,
    waiting: sum(nodeNames, cores) / 100 / waiting,
    memory: (sum(nodeNames, 'RSS, MB') - nodeNames.length * process) / waiting,
    process,
    redisSignIn,
    redisArrival: redisSignIn * shareUntilWaiting,
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

/** Returns a figure of the first row with this name. @throws Error if it is not a number */
function cell({ title, columns, rows }: Table, name: string, column: string): number {
  const value = rows.find(([first]) => first === name)?.[columns.indexOf(column)];
  if (typeof value !== 'number') throw new Error(`"${title}" has no figure for "${name}", "${column}"`);
  return value;
}

/** Returns the number of waiting browsers in the title of a table. */
function waitingIn({ title }: Table): number {
  return Number(/(\d+) waiting/.exec(title)?.[1]);
}

/** Rounds to two digits, because the costs are not known more precisely. */
function roundToTwoDigits(value: number): number {
  return Number(value.toPrecision(2));
}

function kb(megabytes: number): number {
  return rounded(megabytes * 1024);
}
