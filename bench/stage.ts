/** A server with its load generator: what every measure of waiting browsers is made on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Came, Coming, LoadOptions } from './load/browsers.ts';
import type { Site } from './load/chromium.ts';
import type { Traffic } from './load/stream.ts';
import { type Program, start } from './programs.ts';
import { type Redis, startRedis } from './redis.ts';
import type { ProviderOptions } from './servers/provider.ts';

/** A server that is measured. */
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

/** The shortest young generation: less memory, a little more CPU. */
export function withSmallYoungGeneration(kind: Kind): Kind {
  return { ...kind, name: `${kind.name}, semi-space 1 MB`, nodeOptions: ['--max-semi-space-size=1'] };
}

/** A ticket lasts as long as it may: none ends within a measure. */
const DEADLINES = { scan: 600, decide: 600, finish: 600 };

export interface Stage {
  readonly server: Program;
  readonly load: Load;
}

export interface StageOptions {
  /** Phones go to a node of their own, over the same Redis. */
  readonly phonesApart?: boolean;
  /** A Redis that several stages share; one of its own by default. */
  readonly redis?: Redis;
}

/** The load generator's questions, by their types. */
export class Load {
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** So many browsers have been sent by an RP, and have got the page with the code. */
  prepare = (count: number): Promise<void> => this.program.ask('prepare', count);
  /** So many of the prepared open their stream, and have got their first event. */
  wait = (count: number): Promise<void> => this.program.ask('wait', count);
  /** So many of the prepared have been scanned. */
  ready = (count: number): Promise<void> => this.program.ask('ready', count);
  /** Tells one after the other. @returns microseconds from the phone's POST leaving to the event arriving */
  push = (times: number): Promise<number[]> => this.program.ask('push', times);
  comeAndGo = (coming: Coming): Promise<Came> => this.program.ask('comeAndGo', coming);
  leave = (): Promise<void> => this.program.ask('leave');
  traffic = (): Promise<Traffic & { readonly waiting: number }> => this.program.ask('traffic');
}

/** Starts a server of this kind and its load, and stops both whatever happens. */
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
  const started = async (options: ProviderOptions): Promise<{ server: Program; site: Site }> => {
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
  const { server, site } = await started(options);
  const people = kind.program === PROVIDER ? 'provider' : 'plain';
  const phones = phonesApart ? (await started({ ...options, issuer: site.origin })).site : site;
  const program = await start('load/browsers.ts', { people, browsers: site, phones } satisfies LoadOptions);
  stops.push(program.stop);
  return { server, load: new Load(program) };
}

/** As warm as a server is whenever many wait: so many have come, some were told, and all have left. */
export async function warmUp(load: Load, count: number): Promise<void> {
  const told = count / 10;
  await load.prepare(count + told);
  await load.wait(count);
  await load.push(told);
  await load.leave();
}

/** Lets a server come to rest before it is looked at; the same for all. */
export function settle(): Promise<void> {
  return pause(5_000);
}

export interface Spell<T> {
  readonly result: T;
  /** Of a core: 0.05 is 5 %. */
  readonly share: number;
  /** Microseconds. */
  readonly cpu: number;
}

/** What a process uses while something goes on. */
export async function during<T>(server: Pick<Program, 'usage'>, act: () => Promise<T>): Promise<Spell<T>> {
  const before = await server.usage();
  const from = performance.now();
  const result = await act();
  const { cpu } = await server.usage();
  const used = cpu - before.cpu;
  return { result, cpu: used, share: used / 1000 / (performance.now() - from) };
}
