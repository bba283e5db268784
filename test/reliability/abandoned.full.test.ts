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

/** So that everything is loaded, compiled and connected. */
const WARM_UP = 600;
const TICKETS = 10_000;
/** How many each browser shows, as it asks for a new code again and again. */
const OF_A_BROWSER = 40;
/** Browsers at a time, each with somebody beside it who has a phone. */
const AT_ONCE = 4;

/** Bytes. If a small object were left of each of the 10,000, it would be more. */
const MOST_HEAP = 3_000_000;
const MOST_REDIS = 1_000_000;

/** Milliseconds in which everything has to end by itself: several times the longest deadline, as a slow machine may take a while. */
const PATIENCE = 60_000;
/** Redis remembers who watches an interaction for longer than that. */
const WATCHERS = ':watchers:';
const WATCHERS_LIVE = 180_000;

/** How browsers are left behind, and those with a stream leave: the first so, the next so. */
const WAYS = ['shown', 'streaming', 'scanned', 'shown', 'polling', 'approved', 'hung up'] as const;

/** People who are signed in on a phone stay so. Nothing else is kept for longer than an authorization request. */
const KEPT = { Grant: AT_ONCE, Session: AT_ONCE, uid: AT_ONCE };

interface Figures extends HeldFigures {
  /** Bytes that Redis uses. */
  readonly redis: number;
}

interface Passed {
  /** Before anybody came. */
  readonly idle: Figures;
  /** After a few have come and gone. */
  readonly before: Figures;
  /** While the many are there. */
  readonly during: Figures;
  readonly after: Figures;
}

describe('10,000 tickets made and abandoned: memory of process and Redis returns to where it was', () => {
  let redis: RedisServer;
  let inMemory: Passed;
  let inRedis: Passed;

  before(async function () {
    // Twenty thousand requests, of which each has to be computed.
    this.timeout(600_000);
    redis = await RedisServer.start();
    // At the same time, as half of it is waiting.
    [inMemory, inRedis] = await Promise.all([passBy(), passBy(redis)]);
  });

  after(() => redis?.stop());

  for (const [where, passed] of Object.entries({ 'in memory': () => inMemory, 'in Redis': () => inRedis })) {
    describe(`with everything ${where}`, () => {
      it('each ticket was told of when it was shown and when it ended', () => {
        const { cancelled, expired, ...others } = passed().after.events;
        expect(others).to.deep.equal({ shown: WARM_UP + TICKETS, denied: 0, finished: 0, failed: 0 });
        expect(cancelled + expired).to.equal(WARM_UP + TICKETS);
      });

      it('nobody waits any more of those who did, and no connection is left', () => {
        const { idle, before, during, after } = passed();
        expect(during.waiting).to.be.above(0);
        for (const { waiting, handles } of [before, after]) {
          expect(waiting).to.equal(0);
          expect(handles).to.have.members(idle.handles);
        }
      });

      it('only what keeps people signed in is left in the store', () => {
        const { before, during, after } = passed();
        expect(kindsOf(during.keys)).to.include.keys('Interaction', 'ticket');
        for (const { keys } of [before, after]) expect(kindsOf(keys)).to.deep.equal(KEPT);
      });

      it('the heap is as large as it was', () => {
        const { before, after } = passed();
        expect(after.heap - before.heap).to.be.below(MOST_HEAP);
      });
    });
  }

  it('Redis uses as much memory as it did', () => {
    const { before, after } = inRedis;
    expect(after.redis - before.redis).to.be.below(MOST_REDIS);
  });

  it('Redis forgets who watched what, within three minutes', async () => {
    const keys = await keysIn(redis);
    const watchers = keys.filter((key) => key.includes(WATCHERS));
    expect(watchers).to.have.lengthOf.within(1, (WARM_UP + TICKETS) / OF_A_BROWSER);
    for (const key of watchers) expect(await redis.command('PTTL', key)).to.be.within(1, WATCHERS_LIVE);
    // What has expired it lets go of little by little.
    await until(async () => (await redis.command('DBSIZE')) === watchers.length + 3 * AT_ONCE);
  });
});

async function passBy(redis?: RedisServer): Promise<Passed> {
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

/** Who comes to a provider, and leaves without a word. */
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
    this.#phones = Array.from({ length: AT_ONCE }, () => new PhoneVisitor(site));
  }

  static async start(redis: RedisServer | undefined): Promise<PassersBy> {
    // The store in memory is swept every ten seconds: of a clock that runs five times as fast. That of Redis is its own.
    const [args, env] = redis ? [[], { REDIS_URL: redis.url }] : [['--import', FAST_CLOCK], { CLOCK_FASTER: '5' }];
    const program = await Child.start(
      'a provider that people walk away from',
      [process.execPath, '--expose-gc', '--import', './scripts/typescript.mjs', ...args, PROGRAM],
      {
        ready: READY,
        // Counting what has run would take its own memory.
        env: { ...process.env, ...env, NODE_V8_COVERAGE: undefined },
        cwd: new URL('../..', import.meta.url),
      },
    );
    const [, issuer = ''] = READY.exec(await program.seen(READY)) ?? [];
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

  /** What the program holds, without its garbage. Where it has a Redis, the keys are those of that, without what it forgets later. */
  async figures(): Promise<Figures> {
    return this.#ask('/figures?collected');
  }

  /** Shows that many tickets. @returns what the program holds then */
  async show(tickets: number): Promise<Figures> {
    const ways = Array.from({ length: tickets / OF_A_BROWSER }, (_, index) => WAYS[index % WAYS.length]).values();
    await Promise.all(
      this.#phones.map(async (phone) => {
        for (const way of ways) await this.#pass(way, phone);
      }),
    );
    return this.figures();
  }

  /** Everybody leaves. @returns what the program holds when nothing more has to end */
  async leave(idle: Figures): Promise<Figures> {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    const isOver = ({ keys, handles, events, waiting }: Figures): boolean => {
      const isEmpty = keys.every((key) => kindOf(key) in KEPT) && handles.length === idle.handles.length;
      return isEmpty && waiting === 0 && events.shown === events.cancelled + events.expired;
    };
    let figures = await this.figures();
    const comesTrue = async (): Promise<boolean> => {
      if (isOver(await this.#ask('/figures'))) figures = await this.figures();
      return isOver(figures);
    };
    // If it never does, the figures tell why.
    await until(comesTrue, PATIENCE).catch(() => undefined);
    return figures;
  }

  async stop(): Promise<void> {
    await this.#program.end('SIGKILL');
  }

  async #ask(path: string): Promise<Figures> {
    // Whoever asks leaves no connection behind, either.
    const asked = await fetch(this.#site.issuer + path, { headers: { connection: 'close' } });
    const figures = (await asked.json()) as HeldFigures;
    if (this.#redis === undefined) return { ...figures, redis: 0 };
    const keys = (await keysIn(this.#redis)).filter((key) => !key.includes(WATCHERS));
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

  /** Without the cookie jar, which would take longer than the provider. */
  async #renew({ at, agent }: BrowserVisitor): Promise<void> {
    const url = `${at}/qr/renew`;
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'text/html',
      cookie: await agent.jar.getCookieString(url),
    };
    for (let shown = 1; shown < OF_A_BROWSER; shown++) {
      const { statusCode, body } = await undici.request(url, { method: 'POST', headers });
      expect(statusCode, await body.text()).to.equal(303);
    }
  }
}

/** Reads what comes until the browser leaves. */
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

/** `Session`, of the key `keyv:Session:id`. */
function kindOf(key: string): string {
  return key.split(':').at(-2) ?? '';
}

async function keysIn(redis: RedisServer): Promise<string[]> {
  const keys = await redis.command('KEYS', '*');
  if (!Array.isArray(keys)) throw new TypeError('Redis does not tell its keys');
  return keys.map(String);
}
