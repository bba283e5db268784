/**
 * A provider that reports at `/figures` what its process holds, and at `/figures?collected` the same after a garbage
 * collection. Its records and tickets are in memory, or in the Redis at `REDIS_URL`. It needs `--expose-gc`. With
 * `clock-fast.ts` its deadlines pass faster.
 */
import { setImmediate } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { makeProvider } from '../fixtures/provider.ts';
import { CLIENT_ID, testClient } from '../fixtures/test-client.ts';
import { serve } from './server.ts';
import { until } from './until.ts';

const EVENTS = ['shown', 'denied', 'cancelled', 'expired', 'finished', 'failed'] as const;

/** The figures of the process. */
export interface HeldFigures {
  /** The used JavaScript heap in bytes. */
  readonly heap: number;
  /** The kinds of the resources that keep the process alive, one entry for each resource. */
  readonly handles: readonly string[];
  /** The number of waiting browsers. */
  readonly waiting: number;
  /** The keys of the store in memory. */
  readonly keys: readonly string[];
  /** The number of times that each event was emitted. */
  readonly events: Readonly<Record<(typeof EVENTS)[number], number>>;
}

/**
 * The deadlines of a ticket, and the lifetime of an interaction, in seconds of real time. Each is several times as long
 * as a slow machine needs.
 */
const DEADLINE_S = 6;
const INTERACTION_S = 20;

const { REDIS_URL, CLOCK_FASTER = '1' } = process.env;
const faster = Number(CLOCK_FASTER);
const deadline = DEADLINE_S * faster;
const store = REDIS_URL === undefined ? new Keyv() : new Keyv({ store: new KeyvRedis(REDIS_URL) });
const events = { shown: 0, denied: 0, cancelled: 0, expired: 0, finished: 0, failed: 0 };

const { origin, qr } = await serve(async (issuer) => {
  const fixture = await makeProvider({
    issuer,
    clients: [testClient(CLIENT_ID)],
    store,
    qrLogin: {
      deadlines: { scan: deadline, decide: deadline, finish: deadline },
      assess: () => 'check code',
      limits: false,
    },
    // Sessions and grants last a day, so that the phone stays signed in.
    configuration: {
      ttl: {
        Interaction: INTERACTION_S * faster,
        AuthorizationCode: deadline,
        AccessToken: deadline,
        Session: 86_400,
        Grant: 86_400,
      },
    },
  });
  const { provider } = fixture;
  for (const event of EVENTS) {
    const count = (): void => {
      events[event] += 1;
    };
    provider.on(`qr_login.${event}` as never, count as never);
  }
  provider.use(async (ctx, next) => {
    if (ctx.path !== '/figures') return next();
    const { waiting } = await fixture.qr.health();
    if (ctx.query.collected !== undefined) await collect();
    const figures: HeldFigures = {
      heap: process.memoryUsage().heapUsed,
      handles: process.getActiveResourcesInfo(),
      waiting,
      keys: store.store instanceof Map ? [...store.store.keys()] : [],
      events,
    };
    ctx.body = figures;
  });
  return fixture;
});
// Wait until the connections to Redis are open: otherwise they would appear later among the handles.
await until(async () => (await qr.health()).signals === 'up');
process.stdout.write(`at ${origin}\n`);

async function collect(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run this with --expose-gc');
  for (let rounds = 0; rounds < 4; rounds++) {
    globalThis.gc();
    // Finalization callbacks run between the rounds, and release more objects.
    await setImmediate();
  }
}
