/** The load generator: browsers that wait at one server, and phones that tell them. */
import { setTimeout as pause } from 'node:timers/promises';
import { answers, optionsOf } from '../programs.ts';
import type { Site } from './chromium.ts';
import type { People, Tell } from './people.ts';
import { plainPeople } from './plain-people.ts';
import { providerPeople } from './provider-people.ts';
import { type Person, Stream, type Traffic } from './stream.ts';

export interface LoadOptions {
  readonly people: 'plain' | 'provider';
  readonly browsers: Site;
  /** Where phones go, if that is another node. */
  readonly phones?: Site;
}

/** How browsers come and go while others wait. */
export interface Coming {
  readonly seconds: number;
  /** Arrivals a second; as many leave. */
  readonly rate: number;
  /** How long each of them waits; milliseconds. */
  readonly stay: number;
}

export interface Came {
  readonly arrived: number;
  /** From the phone's POST leaving to the event arriving; microseconds. */
  readonly told: readonly number[];
}

/** So many connect at once: none of them waits long for its turn. */
const CONNECT_AT_ONCE = 50;
const TICK = 2;
/** What takes longer is no latency, but a mistake. */
const TOLD_WITHIN = 30_000;

const { people: kind, browsers, phones = browsers } = optionsOf<LoadOptions>();
const people: People = kind === 'plain' ? plainPeople(browsers) : providerPeople(browsers, phones);
const traffic: Traffic = { bytes: 0, events: 0, lost: 0 };
const prepared: Person[] = [];
const waiting: Stream[] = [];
/** Those whose phone has only to tap. */
const ready: { readonly person: Person; readonly tell: Tell }[] = [];

async function wait(count: number): Promise<void> {
  for (let left = count; left > 0; left -= CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, CONNECT_AT_ONCE) }, waitOne));
  }
}

async function waitOne(): Promise<void> {
  const stream = connect(nextPrepared());
  waiting.push(stream);
  await stream.shows('waiting');
}

function nextPrepared(): Person {
  const person = prepared.shift();
  if (person === undefined) throw new Error('more have come than were prepared');
  return person;
}

function connect(person: Person): Stream {
  return new Stream(browsers, person, traffic);
}

/** @returns microseconds */
async function tellOne(stream: Stream, tell: Tell): Promise<number> {
  const told = stream.shows('approved');
  const from = performance.now();
  const answered = tell();
  const at = await Promise.race([told, tooLate()]);
  await answered;
  return (at - from) * 1000;
}

async function tooLate(): Promise<never> {
  await pause(TOLD_WITHIN, undefined, { ref: false });
  throw new Error(`nobody was told within ${TOLD_WITHIN} ms`);
}

/** One after the other: whoever waits longest is told and leaves, somebody else comes. */
async function push(times: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const stream = waiting.shift();
    if (stream === undefined) throw new Error('nobody waits');
    const tell = await people.readyToTell(stream.person);
    latencies.push(await tellOne(stream, tell));
    stream.leave();
    await waitOne();
  }
  return latencies;
}

async function getReady(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const person = nextPrepared();
    ready.push({ person, tell: await people.readyToTell(person) });
  }
}

/** Arrivals at a steady rate; those who are ready to be told are spread evenly among them. */
async function comeAndGo({ seconds, rate, stay }: Coming): Promise<Came> {
  const total = seconds * rate;
  const toTell = ready.splice(0);
  const told: number[] = [];
  const visits: Promise<void>[] = [];
  const from = performance.now();
  let tellable = 0;
  while (visits.length < total) {
    const due = Math.min(total, ((performance.now() - from) / 1000) * rate);
    while (visits.length < due) {
      const share = ((visits.length + 1) * toTell.length) / total;
      const one = tellable < Math.floor(share) ? toTell[tellable++] : undefined;
      visits.push(visit(stay, one, told));
    }
    await pause(TICK);
  }
  await Promise.all(visits);
  return { arrived: visits.length, told };
}

async function visit(stay: number, one: (typeof ready)[number] | undefined, told: number[]): Promise<void> {
  const stream = connect(one?.person ?? nextPrepared());
  await stream.shows(one !== undefined && kind === 'provider' ? 'scanned' : 'waiting');
  await pause(stay);
  if (one !== undefined) told.push(await tellOne(stream, one.tell));
  stream.leave();
}

answers({
  prepare: async (count: number) => {
    for (const person of await people.prepare(count)) prepared.push(person);
  },
  wait,
  push,
  ready: getReady,
  comeAndGo,
  leave: () => {
    for (const stream of waiting.splice(0)) stream.leave();
  },
  traffic: () => ({ ...traffic, waiting: waiting.length }),
});
