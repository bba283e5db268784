import type { Figures } from './http/events/metrics.ts';
import type { Engine } from './stores/engine.ts';

/** How this process is. */
export interface Health {
  /** Whether it should get requests: the store answers, and this is not stopping. */
  readonly ok: boolean;
  /** What keeps the tickets: this process, a Keyv that serves one process, or Redis. */
  readonly engine: 'memory' | 'keyv' | 'redis';
  /** Whether it has just answered; `down` once this is stopping, as it is not asked any more then. */
  readonly store: 'up' | 'down';
  /** Whether other processes are heard. Where they are not, browsers hear of changes by the slow read: in about ten seconds. */
  readonly signals: 'up' | 'down';
  /** How many browsers wait here. */
  readonly waiting: number;
  readonly closing: boolean;
}

export async function healthOf(engine: Engine, figures: Figures, closing: boolean): Promise<Health> {
  // Once it is closed, asking would open the connection again.
  const answers = !closing && (await answersNow(engine));
  return {
    ok: answers,
    engine: engine.name,
    store: answers ? 'up' : 'down',
    signals: engine.hearsOthers() ? 'up' : 'down',
    waiting: figures.waiting,
    closing,
  };
}

function answersNow(engine: Engine): Promise<boolean> {
  return engine.ping().then(
    () => true,
    () => false,
  );
}
