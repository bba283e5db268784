import { setTimeout as pause } from 'node:timers/promises';
import type { LostSet, QueuedSet, Receiver, SetQueue } from './receiver.ts';

/** The time that a receiver may take to answer, in milliseconds. */
const ANSWER_WITHIN_MS = 5_000;
/** The tries to deliver an event, with pauses of 1, 2, 4, … seconds and a random part between them: about two minutes. */
const MAX_TRIES = 8;
/** The most bytes of an answer that are read. */
const MAX_ANSWER = 4_096;

export interface PushPorts {
  readonly audience: string;
  readonly push: NonNullable<Receiver['push']>;
  readonly queue: SetQueue;
  readonly send: typeof fetch;
  readonly signal: AbortSignal;
  /** The first pause between two tries, in milliseconds. */
  readonly firstPauseMs: number;
  readonly onLost: (lost: LostSet) => void;
}

/** Delivers the events of a receiver one after another, until the signal (RFC 8935). */
export async function deliverByPush(ports: PushPorts): Promise<void> {
  const { queue, signal } = ports;
  while (!signal.aborted) {
    const [set] = queue.first(1);
    if (set === undefined) {
      await queue.next();
      continue;
    }
    await deliver(ports, set);
  }
}

async function deliver(
  { audience, queue, firstPauseMs, signal, onLost, ...ports }: PushPorts,
  set: QueuedSet,
): Promise<void> {
  let failure = '';
  for (let tries = 0; tries < MAX_TRIES && !signal.aborted; tries++) {
    if (tries > 0)
      await pause(firstPauseMs * 2 ** (tries - 1) * (1 + Math.random()), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    if (signal.aborted) return;
    const outcome = await tryOnce({ ...ports, signal }, set);
    if (outcome.result === 'failed') {
      failure = outcome.detail;
      continue;
    }
    if (queue.remove(set.jti) && outcome.result === 'refused')
      onLost({ audience, jti: set.jti, reason: 'refused', detail: outcome.detail });
    return;
  }
  if (!signal.aborted && queue.remove(set.jti))
    onLost({ audience, jti: set.jti, reason: 'unreachable', detail: failure });
}

type Outcome = { readonly result: 'accepted' } | { readonly result: 'refused' | 'failed'; readonly detail: string };

/** Sends an event once. A 202 accepts it, a 400 refuses it for good (RFC 8935, section 2.4). Other answers are repeated. */
async function tryOnce(
  { push, send, signal }: Pick<PushPorts, 'push' | 'send' | 'signal'>,
  { jwt }: QueuedSet,
): Promise<Outcome> {
  const { endpoint, authorization } = push;
  try {
    const answer = await send(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      body: jwt,
      // A redirect would send the event, and perhaps the credentials, to another place.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const text = answer.status === 400 ? (await answer.text()).slice(0, MAX_ANSWER) : '';
    if (answer.status !== 400) await answer.body?.cancel();
    if (answer.status === 202) return { result: 'accepted' };
    if (answer.status === 400) return { result: 'refused', detail: describeRefusal(text) };
    return { result: 'failed', detail: `the receiver answered ${answer.status}` };
  } catch (error) {
    return { result: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

function describeRefusal(text: string): string {
  try {
    const { err, description }: { err?: unknown; description?: unknown } = JSON.parse(text);
    return `${err}: ${description}`;
  } catch {
    return 'the receiver answered 400';
  }
}
