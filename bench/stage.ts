/** Sets up a server with its load generator. All measures of waiting browsers run on such a stage. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ChurnOutcome, ChurnPlan, LoadOptions } from './load/browsers.ts';
import type { Site } from './load/chromium.ts';
import type { Traffic } from './load/stream.ts';
import { type Program, start } from './programs.ts';
import { type Redis, startRedis } from './redis.ts';
import type { ProviderOptions } from './servers/provider.ts';

/** A kind of server that is measured. */
export interface Kind {
  readonly name: string;
  readonly program: 'servers/bare.ts' | 'servers/koa.ts' | 'servers/provider.ts';
  readonly onRedis?: boolean;
  readonly qrLogin?: NonNullable<ProviderOptions['qrLogin']>;
  readonly nodeOptions?: readonly string[];
}

const PROVIDER = 'servers/provider.ts';
export const BARE: Kind = { name: 'bare http', program: 'servers/bare.ts' };
export const KOA: Kind = { name: 'Koa', program: 'servers/koa.ts' };
export const MEMORY: Kind = { name: 'plugin, in memory', program: PROVIDER };
export const REDIS: Kind = { name: 'plugin, on Redis', program: PROVIDER, onRedis: true };
export const PARKED: Kind = { ...MEMORY, name: 'plugin, in memory, parkStreams', qrLogin: { parkStreams: true } };
export const REDIS_PARKED: Kind = { ...REDIS, name: 'plugin, on Redis, parkStreams', qrLogin: { parkStreams: true } };

/** Returns the kind with the smallest young generation of V8's heap, which saves memory and costs a little more CPU. */
export function withSmallYoungGeneration(kind: Kind): Kind {
  return { ...kind, name: `${kind.name}, semi-space 1 MB`, nodeOptions: ['--max-semi-space-size=1'] };
}

/** The longest deadlines that the plugin allows, in seconds, so that no ticket expires during a measure. */
const DEADLINES = { scan: 600, decide: 600, finish: 600 };

export interface Stage {
  readonly server: Program;
  readonly load: Load;
}

export interface StageOptions {
  /** True if phones use a second node, which shares the Redis. */
  readonly phonesApart?: boolean;
  /** A Redis that several stages share. By default a stage on Redis starts its own. */
  readonly redis?: Redis;
}

/** The load generator, with a method for each question that it answers. */
export class Load {
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** Prepares this many browsers: an RP has sent them, and they have loaded the page with the code. */
  prepare = (count: number): Promise<void> => this.program.ask('prepare', count);
  /** Lets this many prepared browsers open their streams. Resolves when each has received its first event. */
  wait = (count: number): Promise<void> => this.program.ask('wait', count);
  /** Lets phones scan the codes of this many prepared browsers. */
  scan = (count: number): Promise<void> => this.program.ask('scan', count);
  /**
   * Approves this many waiting browsers in turn.
   * @returns microseconds from sending each phone's POST to receiving its event
   */
  push = (times: number): Promise<number[]> => this.program.ask('push', times);
  comeAndGo = (coming: ChurnPlan): Promise<ChurnOutcome> => this.program.ask('comeAndGo', coming);
  leave = (): Promise<void> => this.program.ask('leave');
  traffic = (): Promise<Traffic & { readonly waiting: number }> => this.program.ask('traffic');
}

/** Starts a server of this kind and its load generator, runs `act`, and stops both even if it fails. */
export async function onStage<T>(
  kind: Kind,
  act: (stage: Stage) => Promise<T>,
  options: StageOptions = {},
): Promise<T> {
  const stops: (() => Promise<void>)[] = [];
  try {
    return await act(await build(kind, options, stops));
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function build(kind: Kind, { phonesApart, redis }: StageOptions, stops: (() => Promise<void>)[]): Promise<Stage> {
  const startServer = async (options: ProviderOptions): Promise<{ server: Program; site: Site }> => {
    const server = await start(kind.program, options, kind.nodeOptions);
    stops.push(server.stop);
    const url = await server.ask<string>('url');
    return { server, site: { origin: options.issuer ?? url, port: Number(new URL(url).port) } };
  };
  let shared = redis;
  if (kind.onRedis && shared === undefined) {
    shared = await startRedis();
    stops.push(shared.stop);
  }
  const options: ProviderOptions = {
    ...(shared !== undefined && { redis: shared.url }),
    qrLogin: { deadlines: DEADLINES, ...kind.qrLogin },
  };
  const { server, site } = await startServer(options);
  const people = kind.program === PROVIDER ? 'provider' : 'plain';
  const phones = phonesApart ? (await startServer({ ...options, issuer: site.origin })).site : site;
  const program = await start('load/browsers.ts', { people, browsers: site, phones } satisfies LoadOptions);
  stops.push(program.stop);
  return { server, load: new Load(program) };
}

/** Warms the server up: this many browsers come and leave, and a tenth of that number are approved. */
export async function warmUp(load: Load, count: number): Promise<void> {
  const approved = count / 10;
  await load.prepare(count + approved);
  await load.wait(count);
  await load.push(approved);
  await load.leave();
}

/** Waits 5 s so that a server comes to rest before its usage is read. All measures wait equally long. */
export function settle(): Promise<void> {
  return pause(5_000);
}

export interface CpuUse<T> {
  readonly result: T;
  /** CPU use as a share of one core: 0.05 is 5 %. */
  readonly share: number;
  /** CPU time in microseconds. */
  readonly cpu: number;
}

/** Runs `act`. @returns its result, with the CPU that the server used meanwhile */
export async function measureDuring<T>(server: Pick<Program, 'usage'>, act: () => Promise<T>): Promise<CpuUse<T>> {
  const before = await server.usage();
  const from = performance.now();
  const result = await act();
  const { cpu } = await server.usage();
  const used = cpu - before.cpu;
  return { result, cpu: used, share: used / 1000 / (performance.now() - from) };
}
