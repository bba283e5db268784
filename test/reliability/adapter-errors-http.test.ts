import { expect } from 'chai';
import type { Keyv } from 'keyv';
import { cutOff, redisKeyv } from '../stores/adapter/backends.ts';
import { HangingBackend, keyvOver } from '../stores/memory/keyv-stores.ts';
import { GENEROUS, SHORT, storesMayTake, whileStoresMayTake } from '../stores/patience.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { AdapterSite, request, tokensIn, type Visitor } from './adapter-site.ts';

/** A provider, and requests to it with the codes and tokens that they need. */
class Scene {
  readonly site: AdapterSite;
  readonly visitor: Visitor;
  readonly #code: string;
  readonly #refresh: string;
  readonly #access: string;
  readonly #initial: string;
  readonly #registered: string;

  private constructor(
    site: AdapterSite,
    visitor: Visitor,
    kept: Record<'code' | 'refresh' | 'access' | 'initial' | 'registered', string>,
  ) {
    this.site = site;
    this.visitor = visitor;
    this.#code = kept.code;
    this.#refresh = kept.refresh;
    this.#access = kept.access;
    this.#initial = kept.initial;
    this.#registered = kept.registered;
  }

  static async over(store: Keyv): Promise<Scene> {
    const site = await AdapterSite.start(store);
    const visitor = site.visitor();
    await visitor.signIn();
    const { access, refresh } = tokensIn(await site.redeem(0, await visitor.code()));
    const initial = await site.initialAccessToken(0);
    const registered = `${(await register(site, initial)).json().client_id}`;
    return new Scene(site, visitor, { access, refresh, initial, registered, code: await visitor.code() });
  }

  /** Sends requests of browsers and clients, by name. The name says if a browser asks for JSON. */
  readonly asks: Readonly<Record<string, () => Promise<Answer>>> = {
    'GET /auth': () => this.visitor.open(`/auth?${new URLSearchParams(request())}`),
    'GET /auth for a client that registered itself': () =>
      this.visitor.open(
        `/auth?${new URLSearchParams({ ...request(), client_id: this.#registered, redirect_uri: 'https://rp.example/cb' })}`,
      ),
    'GET /auth by a new browser': () => this.site.visitor().open(`/auth?${new URLSearchParams(request())}`),
    'POST /token with a code': () => this.site.redeem(0, this.#code),
    'POST /token with a refresh token': () => this.site.refresh(0, this.#refresh),
    'POST /token/introspection': () => this.site.ask(0, '/token/introspection', { token: this.#access }),
    'GET /me': () => this.site.me(0, this.#access),
    'GET /session/end': () => this.visitor.open('/session/end'),
    'GET /session/end as JSON': () => this.#json('/session/end'),
    'POST /reg': () => register(this.site, this.#initial),
    'POST /request': () => this.site.ask(0, '/request', request()),
    'POST /device/auth': () => this.site.ask(0, '/device/auth', { scope: 'openid' }),
    'GET /device': () => this.visitor.open('/device'),
    'GET /account': () => this.visitor.open('/account'),
    'GET /account as JSON': () => this.#json('/account'),
  };

  #json(path: string): Promise<Answer> {
    return this.visitor.agent.get(this.site.issuer + path, { headers: { accept: 'application/json' } });
  }
}

function register(site: AdapterSite, token: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}` };
  const json = { redirect_uris: ['https://rp.example/cb'] };
  return new Agent(headers, site.network(0)).post(`${site.issuer}/reg`, { json });
}

/** Expects a 503 with `Retry-After`, as a page for browsers and as JSON for clients. */
function expectUnavailable(asked: string, answer: Answer): void {
  expect(answer.status, asked).to.equal(503);
  expect(Number(answer.headers.get('retry-after')), asked).to.be.within(1, 10);
  const isPage = asked.startsWith('GET /') && !asked.endsWith('JSON') && !asked.endsWith('/me');
  const type = answer.headers.get('content-type');
  if (isPage) {
    expect(type, asked).to.include('text/html');
    expect(answer.text, asked).to.match(/try again/i);
  } else {
    expect(type, asked).to.include('application/json');
    expect(answer.json().error, asked).to.match(/^(temporarily|store)_unavailable$/);
    expect(answer.json().error_description, asked).to.match(/try again/i);
  }
}

async function expectAllUnavailable(asks: Scene['asks']): Promise<void> {
  await Promise.all(
    Object.entries(asks).map(async ([asked, ask]) => {
      expectUnavailable(asked, await ask());
    }),
  );
}

/** Waits until no request gets a 503 any more. The function polls, because there is no event for that. */
async function untilRecovered(asks: Scene['asks']): Promise<void> {
  for (const [asked, ask] of Object.entries(asks)) {
    let answer = await ask();
    await until(async () => {
      if (answer.status === 503) answer = await ask();
      return answer.status !== 503;
    });
    expect(answer.status, `${asked}: ${answer.text}`).to.be.below(500);
  }
}

function only(asks: Scene['asks'], ...names: string[]): Scene['asks'] {
  return Object.fromEntries(Object.entries(asks).filter(([asked]) => names.includes(asked)));
}

describe('oidc-provider over Redis', () => {
  let redis: RedisServer;
  let store: Keyv | undefined;
  let scene: Scene;

  storesMayTake(GENEROUS);

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  beforeEach(async () => {
    store = redisKeyv(redis.url, 'errors');
    scene = await Scene.over(store);
  });

  afterEach(async () => {
    redis.resume();
    await scene?.site.stop();
    if (store) await cutOff(store);
    // The next test gets a fresh Redis, because this test may have damaged it.
    await redis.restart();
  });

  it('says to try again while Redis is stopped, and works again when Redis continues', async () => {
    redis.pause();
    await whileStoresMayTake(SHORT, async () => {
      await expectAllUnavailable(scene.asks);
      await expectAllUnavailable(scene.asks);
    });
    redis.resume();
    await untilRecovered(scene.asks);
    expect((await scene.visitor.open('/account')).text).to.include('Alice Liddell');
  });

  it('says to try again after Redis was killed, and works with an empty Redis after a restart', async () => {
    await redis.kill();
    await whileStoresMayTake(SHORT, () => expectAllUnavailable(scene.asks));
    await redis.restart();
    await untilRecovered(scene.asks);
    expect((await scene.visitor.open('/account')).status).to.equal(302);
    expect((await scene.visitor.signIn()).text).to.include('Alice Liddell');
  });

  const READING = ['GET /account', 'GET /me', 'POST /token/introspection'];

  it('says to try again if it must write to a Redis that has become a replica, and answers if it only reads', async () => {
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    const { 'GET /account as JSON': _, ...asks } = scene.asks;
    const writing = Object.keys(asks).filter((asked) => !READING.includes(asked));
    await expectAllUnavailable(only(asks, ...writing));
    for (const ask of Object.values(only(asks, ...READING))) expect((await ask()).status).to.equal(200);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await untilRecovered(scene.asks);
  });

  it('says to try again if it must write to a Redis that is out of memory, and answers if it only reads', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    const { 'GET /account as JSON': _, ...asks } = scene.asks;
    const writing = Object.keys(asks).filter((asked) => !READING.includes(asked));
    await expectAllUnavailable(only(asks, ...writing));
    for (const ask of Object.values(only(scene.asks, ...READING))) expect((await ask()).status).to.equal(200);
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await untilRecovered(scene.asks);
  });
});

describe('oidc-provider over a Keyv', () => {
  storesMayTake(GENEROUS);

  it('says to try again while the Keyv does not answer, and works again when it answers', async () => {
    const backend = new HangingBackend();
    const scene = await Scene.over(keyvOver(backend));
    try {
      backend.hangs = true;
      const { 'GET /auth for a client that registered itself': _, ...asks } = scene.asks;
      await whileStoresMayTake(SHORT, () => expectAllUnavailable(asks));
      backend.hangs = false;
      await untilRecovered(scene.asks);
    } finally {
      await scene.site.stop();
    }
  });
});
