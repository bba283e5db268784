/**
 * A provider that tells at `/figures` what it holds, and at `/figures?collected` what that is without garbage. Its records and
 * tickets are in memory, or in the Redis at `REDIS_URL`. It runs with `--expose-gc`, and with `clock-fast.ts` where what takes long
 * shall take less.
 */
import { setImmediate } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { makeProvider } from '../fixtures/provider.ts';
import { CLIENT_ID, testClient } from '../fixtures/test-client.ts';
import { serve } from './server.ts';
import { until } from './until.ts';

const EVENTS = ['shown', 'denied', 'cancelled', 'expired', 'finished', 'failed'] as const;

/** What the process holds. */
export interface HeldFigures {
  /** Bytes. */
  readonly heap: number;
  /** What keeps the process alive, each kind as often as there is one. */
  readonly handles: readonly string[];
  /** Browsers that wait. */
  readonly waiting: number;
  /** The keys of the store in memory. */
  readonly keys: readonly string[];
  /** How often each event was told of. */
  readonly events: Readonly<Record<(typeof EVENTS)[number], number>>;
}

/** Real seconds: a ticket's deadlines, and how long an authorization request waits. Each is several times what a slow machine needs. */
const DEADLINE = 6;
const INTERACTION = 20;

const { REDIS_URL, CLOCK_FASTER = '1' } = process.env;
const faster = Number(CLOCK_FASTER);
const deadline = DEADLINE * faster;
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
    // Whoever signs in on a phone stays signed in.
    configuration: {
      ttl: {
        Interaction: INTERACTION * faster,
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
// From here on its connections to Redis are there.
await until(async () => (await qr.health()).signals === 'up');
process.stdout.write(`at ${origin}\n`);

async function collect(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run this with --expose-gc');
  for (let rounds = 0; rounds < 4; rounds++) {
    globalThis.gc();
    // What waits for something to be collected is called now, and lets go of more.
    await setImmediate();
  }
}
