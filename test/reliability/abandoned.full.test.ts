import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as client from 'openid-client';
import * as undici from 'undici';
import type { HeldFigures } from '../support/abandoned-program.ts';
import { Child } from '../support/child.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { BrowserVisitor, PhoneVisitor, type Site } from '../support/visitors.ts';
import { CLIENT_ID, CLIENT_SECRET, RP_CALLBACK } from '../support/world.ts';

const PROGRAM = fileURLToPath(new URL('../support/abandoned-program.ts', import.meta.url));
const FAST_CLOCK = new URL('../support/clock-fast.ts', import.meta.url).href;
const READY = /^at (.*)$/;

/** The number of tickets before the measurement, so that everything is loaded, compiled and connected. */
const WARM_UP = 600;
const TICKETS = 10_000;
/** The number of tickets that each browser shows. It asks for a new code again and again. */
const TICKETS_PER_BROWSER = 40;
/** The number of concurrent browsers. Each has its own phone. */
const BROWSERS = 4;

/** The allowed growth. It is less than one small object for each of the 10,000 tickets. */
const MAX_HEAP_GROWTH_BYTES = 3_000_000;
const MAX_REDIS_GROWTH_BYTES = 1_000_000;

/**
 * The time within which all tickets and requests must end by themselves. It is several times the longest deadline, for
 * slow machines.
 */
const PATIENCE_MS = 60_000;
/** The end of the key that the readiness check writes. */
const PROBE = /:probe$/;
/** The part of a Redis key that marks the watchers of an interaction, and the time to live of these keys. */
const WATCHERS = ':watchers:';
const WATCHERS_TTL_MS = 180_000;
/** The part of a Redis key that marks the counts that a process shares. They end some time after the last ticket. */
const ACTIVITY = ':known:';

/** The states in which browsers abandon their sign-ins. The browsers use them in turn. */
const WAYS = ['shown', 'streaming', 'scanned', 'shown', 'polling', 'approved', 'hung up'] as const;

/**
 * The records that stay, by kind, because the phones remain signed in: all with one account, so in one list of
 * browsers. All other records live no longer than an authorization request.
 */
const KEPT = { Grant: BROWSERS, Session: BROWSERS, uid: BROWSERS, browsers: 1 };
const KEPT_KEYS = 3 * BROWSERS + 1;

interface Figures extends HeldFigures {
  /** The memory that Redis uses, in bytes. */
  readonly redis: number;
}

interface Measurement {
  /** The figures before the first request. */
  readonly idle: Figures;
  /** The figures after the warm-up. */
  readonly before: Figures;
  /** The figures while all browsers still have their pages open. */
  readonly during: Figures;
  /** The figures after all browsers have left. */
  readonly after: Figures;
}

describe('after 10,000 tickets have been abandoned,', () => {
  let redis: RedisServer;
  let inMemory: Measurement;
  let inRedis: Measurement;

  before(async function () {
    // The suite sends more than twenty thousand requests.
    this.timeout(600_000);
    redis = await RedisServer.start();
    // Both run at the same time, because half of their time is waiting.
    [inMemory, inRedis] = await Promise.all([passBy(), passBy(redis)]);
  });

  after(() => redis?.stop());

  for (const [where, passed] of Object.entries({ 'in memory': () => inMemory, 'in Redis': () => inRedis })) {
    describe(`with everything ${where}`, () => {
      it('each ticket has had one event when it was shown and one when it ended', () => {
        const { cancelled, expired, ...others } = passed().after.events;
        expect(others).to.deep.equal({ shown: WARM_UP + TICKETS, denied: 0, finished: 0, failed: 0 });
        expect(cancelled + expired).to.equal(WARM_UP + TICKETS);
      });

      it('no request is waiting and no connection is left', () => {
        const { idle, before, during, after } = passed();
        expect(during.waiting).to.be.above(0);
        for (const { waiting, handles } of [before, after]) {
          expect(waiting).to.equal(0);
          expect(handles).to.have.members(idle.handles);
        }
      });

      it('only the sessions of the phones are left in the store', () => {
        const { before, during, after } = passed();
        expect(kindsOf(during.keys)).to.include.keys('Interaction', 'ticket');
        for (const { keys } of [before, after]) expect(kindsOf(keys)).to.deep.equal(KEPT);
      });

      it('the heap is as large as before', () => {
        const { before, after } = passed();
        expect(after.heap - before.heap).to.be.below(MAX_HEAP_GROWTH_BYTES);
      });
    });
  }

  it('Redis uses as much memory as before', () => {
    const { before, after } = inRedis;
    expect(after.redis - before.redis).to.be.below(MAX_REDIS_GROWTH_BYTES);
  });

  it('Redis forgets the watchers within three minutes', async () => {
    const keys = await keysIn(redis);
    const watchers = keys.filter((key) => key.includes(WATCHERS));
    expect(watchers).to.have.lengthOf.within(1, (WARM_UP + TICKETS) / TICKETS_PER_BROWSER);
    for (const key of watchers) expect(await redis.command('PTTL', key)).to.be.within(1, WATCHERS_TTL_MS);
    // Redis removes expired keys gradually.
    await until(async () => {
      const counts = (await keysIn(redis)).filter((key) => key.includes(ACTIVITY));
      return (await redis.command('DBSIZE')) === watchers.length + KEPT_KEYS + counts.length;
    });
  });
});

async function passBy(redis?: RedisServer): Promise<Measurement> {
  const passersBy = await PassersBy.start(redis);
  try {
    const idle = await passersBy.figures();
    await passersBy.signInOnPhones();
    await passersBy.show(WARM_UP);
    const before = await passersBy.leave(idle);
    const during = await passersBy.show(TICKETS);
    return { idle, before, during, after: await passersBy.leave(idle) };
  } finally {
    await passersBy.stop();
  }
}

/** Browsers that show codes at a provider and leave without ending their sign-ins. */
class PassersBy {
  readonly #program: Child;
  readonly #site: Site;
  readonly #redis: RedisServer | undefined;
  readonly #phones: readonly PhoneVisitor[];
  #leaving = new AbortController();

  private constructor(program: Child, site: Site, redis: RedisServer | undefined) {
    this.#program = program;
    this.#site = site;
    this.#redis = redis;
    this.#phones = Array.from({ length: BROWSERS }, () => new PhoneVisitor(site));
  }

  static async start(redis: RedisServer | undefined): Promise<PassersBy> {
    // A clock that runs five times as fast makes deadlines and the sweep of the store in memory come earlier. Redis has
    // its own clock, so there the clock is not changed.
    const [args, env] = redis ? [[], { REDIS_URL: redis.url }] : [['--import', FAST_CLOCK], { CLOCK_FASTER: '5' }];
    const program = await Child.start(
      'a provider with abandoned tickets',
      [process.execPath, '--expose-gc', '--import', './scripts/typescript.mjs', ...args, PROGRAM],
      {
        ready: READY,
        // Turn coverage off, because measuring it takes memory.
        env: { ...process.env, ...env, NODE_V8_COVERAGE: undefined },
        cwd: new URL('../..', import.meta.url),
      },
    );
    const [, issuer = ''] = READY.exec(await program.firstLine(READY)) ?? [];
    let metadata: Promise<client.ServerMetadata> | undefined;
    const discover = async (): Promise<client.ServerMetadata> => {
      const options = { execute: [client.allowInsecureRequests] };
      return (await client.discovery(new URL(issuer), CLIENT_ID, CLIENT_SECRET, undefined, options)).serverMetadata();
    };
    const site: Site = {
      issuer,
      client: { id: CLIENT_ID, secret: CLIENT_SECRET, callback: RP_CALLBACK },
      metadata: () => {
        metadata ??= discover();
        return metadata;
      },
    };
    return new PassersBy(program, site, redis);
  }

  async signInOnPhones(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.signInAt(`${this.#site.issuer}/account`)));
  }

  /**
   * Returns the figures of the program after a garbage collection. With Redis, they include its keys, without the
   * watchers.
   */
  async figures(): Promise<Figures> {
    return this.#ask('/figures?collected');
  }

  /** Shows that many tickets. @returns the figures after that */
  async show(tickets: number): Promise<Figures> {
    const ways = Array.from(
      { length: tickets / TICKETS_PER_BROWSER },
      (_, index) => WAYS[index % WAYS.length],
    ).values();
    await Promise.all(
      this.#phones.map(async (phone) => {
        for (const way of ways) await this.#pass(way, phone);
      }),
    );
    return this.figures();
  }

  /** Closes all browsers. @returns the figures when everything has ended, or after {@link PATIENCE_MS} */
  async leave(idle: Figures): Promise<Figures> {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    const isOver = ({ keys, handles, events, waiting }: Figures): boolean => {
      const isEmpty = keys.every((key) => kindOf(key) in KEPT) && handles.length === idle.handles.length;
      return isEmpty && waiting === 0 && events.shown === events.cancelled + events.expired;
    };
    let figures = await this.figures();
    const hasEnded = async (): Promise<boolean> => {
      if (isOver(await this.#ask('/figures'))) figures = await this.figures();
      return isOver(figures);
    };
    // Ignore the time-out: the tests of the figures show the cause.
    await until(hasEnded, PATIENCE_MS).catch(async () => {
      figures = await this.figures();
    });
    return figures;
  }

  async stop(): Promise<void> {
    await this.#program.end('SIGKILL');
  }

  async #ask(path: string): Promise<Figures> {
    // This request must not leave a connection behind, which would be counted.
    const asked = await fetch(this.#site.issuer + path, { headers: { connection: 'close' } });
    const figures = (await asked.json()) as HeldFigures;
    // Asking for the figures checks the readiness, which writes a record.
    const others = (keys: readonly string[]): string[] => keys.filter((key) => !PROBE.test(key));
    if (this.#redis === undefined) return { ...figures, keys: others(figures.keys), redis: 0 };
    const keys = others(await keysIn(this.#redis)).filter((key) => !key.includes(WATCHERS) && !key.includes(ACTIVITY));
    return { ...figures, keys, redis: Number(await this.#redis.info('used_memory')) };
  }

  async #pass(way: (typeof WAYS)[number] | undefined, phone: PhoneVisitor): Promise<void> {
    const browser = new BrowserVisitor(this.#site);
    await browser.start();
    const leaving = way === 'hung up' ? new AbortController() : this.#leaving;
    if (way === 'streaming' || way === 'hung up') wait(browser, '/events', leaving.signal);
    await this.#renew(browser);
    if (way === 'hung up') leaving.abort();
    if (way === 'polling') wait(browser, `?after=${(await browser.ticket()).version}`, leaving.signal);
    if (way === 'scanned' || way === 'approved')
      expect(await phone.scan(await browser.code())).to.include({ status: 200 });
    if (way === 'approved') expect(await phone.approve()).to.include({ state: 'approved' });
  }

  /** Renews the code again and again. It does not use the cookie jar, which would be slower than the provider. */
  async #renew({ at, agent }: BrowserVisitor): Promise<void> {
    const url = `${at}/qr/renew`;
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'text/html',
      cookie: await agent.jar.getCookieString(url),
    };
    for (let shown = 1; shown < TICKETS_PER_BROWSER; shown++) {
      const { statusCode, body } = await undici.request(url, { method: 'POST', headers });
      expect(statusCode, await body.text()).to.equal(303);
    }
  }
}

/** Reads a response until the browser leaves. */
function wait(browser: BrowserVisitor, path: string, signal: AbortSignal): void {
  const reading = async (): Promise<void> => {
    const response = await browser.agent.raw(`${browser.at}/qr${path}`, { signal });
    await response.body?.pipeTo(new WritableStream());
  };
  reading().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function kindsOf(keys: readonly string[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const key of keys) kinds[kindOf(key)] = (kinds[kindOf(key)] ?? 0) + 1;
  return kinds;
}

/**
 * Returns the kind of a key: `Session` for `keyv:Session#hash`, `ticket` for `keyv:qr:ticket:id`, and `browsers` for
 * `keyv:qr:browsers:mac:hash`.
 */
function kindOf(key: string): string {
  return /([^:#]+):?#[^:]*$/.exec(key)?.[1] ?? key.replace(':mac:', ':').split(':').at(-2) ?? '';
}

async function keysIn(redis: RedisServer): Promise<string[]> {
  const keys = await redis.command('KEYS', '*');
  if (!Array.isArray(keys)) throw new TypeError('Redis did not return its keys');
  return keys.map(String);
}
