/** Generates the load of a measure: browsers that wait at one server, and phones that approve their tickets. */
import { setTimeout as pause } from 'node:timers/promises';
import { answerQuestions, optionsOf } from '../programs.ts';
import type { Site } from './chromium.ts';
import type { People, SendApproval } from './people.ts';
import { makePlainPeople } from './plain-people.ts';
import { makeProviderPeople } from './provider-people.ts';
import { type Person, Stream, type Traffic } from './stream.ts';

export interface LoadOptions {
  readonly people: 'plain' | 'provider';
  readonly browsers: Site;
  /** The node that phones use, if it is not the node of the browsers. */
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
const people: People = kind === 'plain' ? makePlainPeople(browsers) : makeProviderPeople(browsers, phones);
const traffic: Traffic = { bytes: 0, events: 0, lost: 0 };
/** Browsers that have loaded the page and have not opened their stream yet. */
const prepared: Person[] = [];
/** The streams of the browsers that wait, the oldest one first. */
const waiting: Stream[] = [];
/** Browsers whose code a phone has scanned, so that the phone only has to approve. */
const scanned: { readonly person: Person; readonly approve: SendApproval }[] = [];

async function openStreams(count: number): Promise<void> {
  for (let left = count; left > 0; left -= CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, CONNECT_AT_ONCE) }, openStream));
  }
}

async function openStream(): Promise<void> {
  const stream = connect(nextPrepared());
  waiting.push(stream);
  await stream.waitUntilShown('waiting');
}

function nextPrepared(): Person {
  const person = prepared.shift();
  if (person === undefined) throw new Error('more browsers arrive than were prepared');
  return person;
}

function connect(person: Person): Stream {
  return new Stream(browsers, person, traffic);
}

/** Approves, and waits until the browser is notified. @returns the latency in microseconds */
async function measureApproval(stream: Stream, approve: SendApproval): Promise<number> {
  const notified = stream.waitUntilShown('approved');
  const from = performance.now();
  const answered = approve();
  const at = await Promise.race([notified, failTooLate()]);
  await answered;
  return (at - from) * 1000;
}

async function failTooLate(): Promise<never> {
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
    await openStream();
  }
  return latencies;
}

async function scanCodes(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const person = nextPrepared();
    scanned.push({ person, approve: await people.prepareApproval(person) });
  }
}

/** Lets browsers arrive at a steady rate. Those whose code was scanned are spread evenly among them. */
async function comeAndGo({ seconds, rate, stay }: ChurnPlan): Promise<ChurnOutcome> {
  const total = seconds * rate;
  const toApprove = scanned.splice(0);
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

async function visit(stay: number, one: (typeof scanned)[number] | undefined, latencies: number[]): Promise<void> {
  const stream = connect(one?.person ?? nextPrepared());
  await stream.waitUntilShown(one !== undefined && kind === 'provider' ? 'scanned' : 'waiting');
  await pause(stay);
  if (one !== undefined) latencies.push(await measureApproval(stream, one.approve));
  stream.leave();
}

answerQuestions({
  prepare: async (count: number) => {
    for (const person of await people.prepare(count)) prepared.push(person);
  },
  wait: openStreams,
  push,
  scan: scanCodes,
  comeAndGo,
  leave: () => {
    for (const stream of waiting.splice(0)) stream.leave();
  },
  traffic: () => ({ ...traffic, waiting: waiting.length }),
});
