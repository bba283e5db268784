/** The load generator: browsers that wait at one server, and phones that approve their tickets. */
import { setTimeout as pause } from 'node:timers/promises';
import { answers, optionsOf } from '../programs.ts';
import type { Site } from './chromium.ts';
import type { People, SendApproval } from './people.ts';
import { plainPeople } from './plain-people.ts';
import { providerPeople } from './provider-people.ts';
import { type Person, Stream, type Traffic } from './stream.ts';

export interface LoadOptions {
  readonly people: 'plain' | 'provider';
  readonly browsers: Site;
  /** The node that phones use, if it is another one. */
  readonly phones?: Site;
}

/** Describes the browsers that come and go while others wait. */
export interface ChurnPlan {
  readonly seconds: number;
  /** Arrivals per second. The same number leave. */
  readonly rate: number;
  /** Milliseconds that each browser waits. */
  readonly stay: number;
}

export interface ChurnOutcome {
  readonly arrived: number;
  /** Microseconds from sending the phone's POST to receiving the event, for each approved browser. */
  readonly latencies: readonly number[];
}

/** The number of browsers that connect at the same time. It is small, so that no connection queues for long. */
const CONNECT_AT_ONCE = 50;
const TICK_MS = 2;
/** An approval that takes longer is a fault and not a latency. */
const NOTIFIED_WITHIN_MS = 30_000;

const { people: kind, browsers, phones = browsers } = optionsOf<LoadOptions>();
const people: People = kind === 'plain' ? plainPeople(browsers) : providerPeople(browsers, phones);
const traffic: Traffic = { bytes: 0, events: 0, lost: 0 };
const prepared: Person[] = [];
const waiting: Stream[] = [];
/** Browsers with a phone that has scanned the code and only has to approve. */
const ready: { readonly person: Person; readonly approve: SendApproval }[] = [];

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

/** Approves, and waits until the browser is notified. @returns the latency in microseconds */
async function measureApproval(stream: Stream, approve: SendApproval): Promise<number> {
  const notified = stream.shows('approved');
  const from = performance.now();
  const answered = approve();
  const at = await Promise.race([notified, tooLate()]);
  await answered;
  return (at - from) * 1000;
}

async function tooLate(): Promise<never> {
  await pause(NOTIFIED_WITHIN_MS, undefined, { ref: false });
  throw new Error(`the browser was not notified within ${NOTIFIED_WITHIN_MS} ms`);
}

/**
 * Approves browsers one after the other. The longest-waiting browser is approved and leaves, and a new one comes.
 */
async function push(times: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const stream = waiting.shift();
    if (stream === undefined) throw new Error('no browser waits');
    const approve = await people.prepareApproval(stream.person);
    latencies.push(await measureApproval(stream, approve));
    stream.leave();
    await waitOne();
  }
  return latencies;
}

async function getReady(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const person = nextPrepared();
    ready.push({ person, approve: await people.prepareApproval(person) });
  }
}

/** Lets browsers arrive at a steady rate. Those that are ready to be approved are spread evenly among them. */
async function comeAndGo({ seconds, rate, stay }: ChurnPlan): Promise<ChurnOutcome> {
  const total = seconds * rate;
  const toApprove = ready.splice(0);
  const latencies: number[] = [];
  const visits: Promise<void>[] = [];
  const from = performance.now();
  let taken = 0;
  while (visits.length < total) {
    const arrived = Math.min(total, ((performance.now() - from) / 1000) * rate);
    while (visits.length < arrived) {
      const share = ((visits.length + 1) * toApprove.length) / total;
      const one = taken < Math.floor(share) ? toApprove[taken++] : undefined;
      visits.push(visit(stay, one, latencies));
    }
    await pause(TICK_MS);
  }
  await Promise.all(visits);
  return { arrived: visits.length, latencies };
}

async function visit(stay: number, one: (typeof ready)[number] | undefined, latencies: number[]): Promise<void> {
  const stream = connect(one?.person ?? nextPrepared());
  await stream.shows(one !== undefined && kind === 'provider' ? 'scanned' : 'waiting');
  await pause(stay);
  if (one !== undefined) latencies.push(await measureApproval(stream, one.approve));
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
