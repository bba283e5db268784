/** Sums up the time in a CPU profile by area, file and function. */
import type { Profile } from './profiler.ts';

/** Sums of the time in a profile, in microseconds. */
export interface TimeSpent {
  /** Self time of functions, by the area that they belong to. */
  readonly areas: ReadonlyMap<string, number>;
  /** Self time by file of this plugin. */
  readonly files: ReadonlyMap<string, number>;
  /** Self time by function. */
  readonly functions: ReadonlyMap<string, number>;
  /** Time of this plugin's functions including everything that they call synchronously. */
  readonly withCalls: ReadonlyMap<string, number>;
  /** All time except idle time. */
  readonly total: number;
}

type Node = Profile['nodes'][number];

/** Areas with patterns for a file's URL. The first match counts; a file that matches none belongs to Node. */
const AREAS: readonly (readonly [area: string, pattern: RegExp])[] = [
  ['templates', /\/node_modules\/eta\/|\/dist\/pages\.js|\/src\/http\/(views|templates|language|locales)\.ts/],
  ['this plugin: http', /\/src\/http\//],
  ['this plugin: oidc', /\/src\/oidc\//],
  ['this plugin: stores', /\/src\/stores\//],
  ['this plugin: ticket', /\/src\/ticket\//],
  ['the bench itself', /\/bench\/|\/src\/[^/]+\.ts/],
  ['qrcode', /\/node_modules\/(qrcode|dijkstrajs)\//],
  ['user agents (bowser)', /\/node_modules\/bowser\//],
  ['rate limits', /\/node_modules\/rate-limiter-flexible\//],
  ['keyv, redis client', /\/node_modules\/(keyv|@keyv|@redis|@cacheable|hookified|keyv-[^/]+)\//],
  [
    'oidc-provider, jose',
    /\/node_modules\/(oidc-provider|jose|nanoid|quick-lru|object-hash|oidc-token-hash|jsesc|debug|eventemitter3|raw-body)\//,
  ],
  ['koa, router, cookies', /\/node_modules\//],
  ['crypto', /^node:(internal\/)?crypto/],
  [
    'http, sockets, streams',
    /^node:(_http|http|net|internal\/(http|net|stream|streams|child_process)|_stream|stream|buffer|internal\/buffer)/,
  ],
];

/**
 * Returns the time in a profile by area, file and function.
 * @param cpu CPU time of the profiled thread in microseconds. V8 samples by the wall clock, even while other threads
 * have the processor, so the sampled times are scaled to this.
 */
export function timeIn(profile: Profile, cpu: number): TimeSpent {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const spent = { areas: new Map(), files: new Map(), functions: new Map(), withCalls: new Map(), total: cpu };
  const samples = (profile.samples ?? []).flatMap((id, index) => {
    const node = nodes.get(id);
    const stack = node === undefined ? [] : stackOf(node, parents);
    // timeDeltas[i] is the time between sample i and the one before it.
    return isAside(stack) ? [] : [{ stack, time: profile.timeDeltas?.[index] ?? 0 }];
  });
  const sampled = samples.reduce((sum, { time }) => sum + time, 0);
  for (const { stack, time } of samples) addSample(spent, stack, (time / sampled) * cpu);
  return spent;
}

function addSample(
  spent: { [Kind in 'areas' | 'files' | 'functions' | 'withCalls']: Map<string, number> },
  stack: readonly Node[],
  time: number,
): void {
  const [self] = stack;
  if (self === undefined) return;
  // Built-in functions have no URL: their time counts for the closest caller that has one.
  const owner = stack.find(({ callFrame }) => callFrame.url !== '') ?? self;
  add(spent.areas, areaOf(owner), time);
  if (isOwnCode(owner)) add(spent.files, fileOf(owner), time);
  add(spent.functions, self === owner ? nameOf(self) : `${self.callFrame.functionName} < ${nameOf(owner)}`, time);
  for (const name of new Set(stack.filter(isOwnCode).map(nameOf))) add(spent.withCalls, name, time);
}

function stackOf(node: Node, parents: ReadonlyMap<number, Node>): Node[] {
  const stack: Node[] = [];
  for (let one: Node | undefined = node; one !== undefined; one = parents.get(one.id)) stack.push(one);
  return stack;
}

/** Returns true if the sample is idle time or the cost of profiling itself. */
function isAside(stack: readonly Node[]): boolean {
  return stack.some(({ callFrame: { functionName, url } }) => functionName === '(idle)' || url === 'node:inspector');
}

function areaOf({ callFrame: { url, functionName } }: Node): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'native code without a caller';
  return AREAS.find(([, pattern]) => pattern.test(url))?.[0] ?? 'Node, other';
}

function isOwnCode({ callFrame: { url } }: Node): boolean {
  return !url.includes('/node_modules/') && /\/src\/|\/dist\/pages\.js/.test(url);
}

function nameOf(node: Node): string {
  const { functionName, lineNumber } = node.callFrame;
  return `${functionName || '(anonymous)'} ${fileOf(node)}:${lineNumber + 1}`;
}

function fileOf({ callFrame: { url } }: Node): string {
  return url.replace(/^.*?\/(?=node_modules\/|(src|dist|bench)\/)/, '').replace(/^.*node_modules\//, '');
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}
