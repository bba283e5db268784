/**
 * Sends the requests of the users in the crowd test. Measures the time of each answer, and repeats requests as pages,
 * users and RPs do.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** A request is answered in time if its answer, or the end of its connection, comes within this time. */
const ANSWER_WITHIN_MS = 5_000;
/** A request without an answer is given up after this time, so that the run ends. */
const GIVE_UP_MS = 20_000;
/** The pause before a request is repeated. A page waits 2 s; users and RPs may be faster. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [300, 2_000];
/** The longest time for which a request is repeated. Faults last a few seconds. */
const REPEAT_FOR_MS = 60_000;

/** Counts of requests over all users. */
export interface Traffic {
  requests: number;
  /** Answers with 5xx, and answers that got lost with their connection. */
  repeated: number;
  /** The requests without an answer in time: method, path and milliseconds. */
  readonly unanswered: string[];
  /** The longest time until an answer, in milliseconds, and the request that took it. */
  longest: number;
  slowest: string;
}

/** Returns a `fetch` that repeats each request while the answer is 5xx or gets lost. */
export function crowdNetwork(network: typeof fetch, traffic: Traffic): typeof fetch {
  return async (input, init = {}) => {
    const latest = performance.now() + REPEAT_FOR_MS;
    for (;;) {
      const answer = await sendMeasured(network, input, init, traffic);
      if (answer instanceof Response && answer.status < 500) return answer;
      if (performance.now() > latest) {
        throw new Error(`no answer to ${nameOf(input, init)}: ${await describe(answer)}`);
      }
      traffic.repeated += 1;
      await pause(pauseAfter(answer));
    }
  };
}

async function sendMeasured(
  network: typeof fetch,
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
  traffic: Traffic,
): Promise<Response | Error> {
  const asked = performance.now();
  const answer = await sendAndRead(network, input, init);
  const took = performance.now() - asked;
  traffic.requests += 1;
  const description = `${nameOf(input, init)}: ${Math.round(took)} ms, ${reasonOf(answer)}`;
  if (took > traffic.longest) [traffic.longest, traffic.slowest] = [took, description];
  if (took > ANSWER_WITHIN_MS) traffic.unanswered.push(description);
  return answer;
}

/**
 * Sends a request and reads the whole body, because the body may also break off. The body of an event stream is not
 * read.
 */
async function sendAndRead(
  network: typeof fetch,
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
): Promise<Response | Error> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), GIVE_UP_MS);
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
    const response = await network(input, { ...init, signal });
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    return new Response(response.status === 204 ? null : await response.text(), response);
  } catch (error) {
    return error instanceof Error ? error : new Error(`${error}`);
  } finally {
    clearTimeout(timer);
  }
}

function pauseAfter(answer: Response | Error): number {
  const asked = answer instanceof Response ? Number(answer.headers.get('retry-after')) * 1000 || 0 : 0;
  return Math.max(asked, SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
}

function nameOf(input: Parameters<typeof fetch>[0], init: RequestInit): string {
  return `${init.method ?? 'GET'} ${new URL(`${input}`).pathname}`;
}

function reasonOf(answer: Response | Error): string {
  return answer instanceof Response ? `${answer.status}` : `${answer.cause ?? answer}`;
}

async function describe(answer: Response | Error): Promise<string> {
  const body = answer instanceof Response ? await answer.text() : '';
  return `${reasonOf(answer)} ${body.slice(0, 300)}`;
}
