/** Reads a profile: which area, file and function the time went to. */
import type { Profile } from './profiler.ts';

/** Of a profile, in microseconds. */
export interface TimeSpent {
  /** In functions themselves, by the area that they belong to. */
  readonly areas: ReadonlyMap<string, number>;
  /** The same by file of this plugin. */
  readonly files: ReadonlyMap<string, number>;
  /** The same by function. */
  readonly functions: ReadonlyMap<string, number>;
  /** In functions of this plugin with whatever they call, as long as nothing is waited for. */
  readonly withCalls: ReadonlyMap<string, number>;
  /** Of everything but idling. */
  readonly total: number;
}

type Node = Profile['nodes'][number];

/** By what stands in a file's address; the first that fits. Whatever is left belongs to Node. */
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
 * @param cpu of the profiled thread, in microseconds: samples are taken by the clock, also while others have the processor, so their
 * times are scaled to it
 */
export function timeIn(profile: Profile, cpu: number): TimeSpent {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const spent = { areas: new Map(), files: new Map(), functions: new Map(), withCalls: new Map(), total: cpu };
  const samples = (profile.samples ?? []).flatMap((id, index) => {
    const node = nodes.get(id);
    const stack = node === undefined ? [] : lineage(node, parents);
    // What passed until this sample was taken.
    return isAside(stack) ? [] : [{ stack, time: profile.timeDeltas?.[index] ?? 0 }];
  });
  const sampled = samples.reduce((sum, { time }) => sum + time, 0);
  for (const { stack, time } of samples) note(spent, stack, (time / sampled) * cpu);
  return spent;
}

function note(
  spent: { [Kind in 'areas' | 'files' | 'functions' | 'withCalls']: Map<string, number> },
  stack: readonly Node[],
  time: number,
): void {
  const [self] = stack;
  if (self === undefined) return;
  // What is built in belongs to whoever called it.
  const owner = stack.find(({ callFrame }) => callFrame.url !== '') ?? self;
  add(spent.areas, areaOf(owner), time);
  if (ours(owner)) add(spent.files, fileOf(owner), time);
  add(spent.functions, self === owner ? nameOf(self) : `${self.callFrame.functionName} < ${nameOf(owner)}`, time);
  for (const name of new Set(stack.filter(ours).map(nameOf))) add(spent.withCalls, name, time);
}

function lineage(node: Node, parents: ReadonlyMap<number, Node>): Node[] {
  const stack: Node[] = [];
  for (let one: Node | undefined = node; one !== undefined; one = parents.get(one.id)) stack.push(one);
  return stack;
}

/** Waiting, and profiling itself. */
function isAside(stack: readonly Node[]): boolean {
  return stack.some(({ callFrame: { functionName, url } }) => functionName === '(idle)' || url === 'node:inspector');
}

function areaOf({ callFrame: { url, functionName } }: Node): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'native code without a caller';
  return AREAS.find(([, pattern]) => pattern.test(url))?.[0] ?? 'Node, other';
}

function ours({ callFrame: { url } }: Node): boolean {
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
