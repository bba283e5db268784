import { setTimeout as pause } from 'node:timers/promises';
import type { LostSet, SetQueue } from './receiver.ts';

/** The answer to a poll, to be sent as JSON. */
export interface PollAnswer {
  readonly status: 200 | 400;
  readonly body:
    | { readonly sets: Readonly<Record<string, string>>; readonly moreAvailable?: true }
    | { readonly err: 'invalid_request'; readonly description: string };
}

/** The most events of an answer, and those of one that does not say how many it takes. */
const MOST_EVENTS = 100;
/** The time for which a poll waits for an event. */
const POLL_WAITS_MS = 20_000;

export interface PollPorts {
  readonly audience: string;
  readonly queue: SetQueue;
  readonly signal: AbortSignal;
  readonly onLost: (lost: LostSet) => void;
}

/**
 * Answers a poll (RFC 8936, section 2). Events that are acknowledged or refused leave the queue. The others are sent
 * again with the next poll.
 */
export async function answerPoll(
  { audience, queue, signal, onLost }: PollPorts,
  request: unknown,
): Promise<PollAnswer> {
  const read = readRequest(request);
  if (typeof read === 'string') return { status: 400, body: { err: 'invalid_request', description: read } };
  const { maxEvents, returnImmediately, ack, setErrs } = read;
  for (const jti of ack) queue.remove(jti);
  for (const [jti, detail] of setErrs) if (queue.remove(jti)) onLost({ audience, jti, reason: 'refused', detail });
  if (queue.size === 0 && maxEvents > 0 && !returnImmediately && !signal.aborted) {
    const end = new AbortController();
    await Promise.race([queue.next(), pause(POLL_WAITS_MS, undefined, { signal: end.signal }).catch(() => undefined)]);
    end.abort();
  }
  const sets = Object.fromEntries(queue.first(maxEvents).map(({ jti, jwt }) => [jti, jwt]));
  const isMore = queue.size > Object.keys(sets).length;
  return { status: 200, body: { sets, ...(isMore && { moreAvailable: true as const }) } };
}

interface PollRequest {
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
  readonly ack: readonly string[];
  readonly setErrs: readonly (readonly [jti: string, detail: string])[];
}

/** Reads a poll. @returns a text that says what is wrong, if it is no poll */
function readRequest(request: unknown): PollRequest | string {
  if (!isRecord(request)) return 'the body must be a JSON object';
  const { maxEvents = MOST_EVENTS, returnImmediately = false, ack = [], setErrs = {} } = request;
  if (typeof maxEvents !== 'number' || !Number.isInteger(maxEvents) || maxEvents < 0)
    return 'maxEvents must be a whole number';
  if (typeof returnImmediately !== 'boolean') return 'returnImmediately must be true or false';
  if (!Array.isArray(ack) || !ack.every((jti) => typeof jti === 'string')) return 'ack must be a list of ids';
  if (!isRecord(setErrs)) return 'setErrs must be an object';
  const errors = Object.entries(setErrs).map(([jti, error]) => [jti, describeError(error)] as const);
  return { maxEvents: Math.min(maxEvents, MOST_EVENTS), returnImmediately, ack, setErrs: errors };
}

function describeError(error: unknown): string {
  return isRecord(error) ? `${error.err}: ${error.description}` : String(error);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
