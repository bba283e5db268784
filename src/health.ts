import type { SignInMetrics } from './http/events/metrics.ts';
import type { StoreEngine } from './stores/store-engine.ts';

/** The health of this process. */
export interface Health {
  /** True if this process should get requests: the store takes writes, and the process is not stopping. */
  readonly ok: boolean;
  /** The place of the tickets: `memory` (of this process), `keyv` (serves one process) or `redis`. */
  readonly engine: string;
  /**
   * `up` if the store has just answered, and has taken a write within the last second; otherwise `down`. Also `down`
   * once this process is stopping, because it does not ask the store any more.
   */
  readonly store: 'up' | 'down';
  /**
   * `up` if this process hears the signals of the others. Otherwise browsers learn of changes only because this process
   * reads their tickets regularly, within about ten seconds.
   */
  readonly signals: 'up' | 'down';
  /** The number of browsers that wait at this process. */
  readonly waiting: number;
  readonly closing: boolean;
}

export async function healthOf(engine: StoreEngine, metrics: SignInMetrics, closing: boolean): Promise<Health> {
  // Do not ping after closing: that would open the connection again.
  const answers = !closing && (await answersNow(engine));
  return {
    ok: answers,
    engine: engine.name,
    store: answers ? 'up' : 'down',
    signals: engine.hearsOthers() ? 'up' : 'down',
    waiting: metrics.waiting,
    closing,
  };
}

function answersNow(engine: StoreEngine): Promise<boolean> {
  return engine.ping().then(
    () => true,
    () => false,
  );
}
