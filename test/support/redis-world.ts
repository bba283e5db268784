/** A {@link World} that keeps everything in a Redis of its own. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { RedisServer } from './redis.ts';
import { until } from './until.ts';
import { World, type WorldOptions } from './world.ts';

/** What the plugin sends to Redis where something is written. */
export interface SentScript {
  readonly keys: string[];
  readonly arguments: string[];
}

interface ScriptClient {
  evalSha(sha: string, script: SentScript): Promise<unknown>;
}

export class RedisWorld {
  readonly redis: RedisServer;
  readonly world: World;
  readonly #store: Keyv;
  readonly #client: ScriptClient;

  private constructor(redis: RedisServer, world: World, store: Keyv, client: ScriptClient) {
    this.redis = redis;
    this.world = world;
    this.#store = store;
    this.#client = client;
  }

  /** @param at the Redis of another node, which then stops it */
  static async start(options: WorldOptions = {}, at?: RedisServer): Promise<RedisWorld> {
    const redis = at ?? (await RedisServer.start());
    const backend = new KeyvRedis<unknown>(redis.url);
    const store = new Keyv({ store: backend });
    const world = await World.start({ ...options, store });
    // Clients with options, such as the plugin's, have the same prototype.
    const client: unknown = Object.getPrototypeOf(backend.client);
    return new RedisWorld(redis, world, store, client as ScriptClient);
  }

  static async during(options: WorldOptions, act: (there: RedisWorld) => Promise<void>): Promise<void> {
    const there = await RedisWorld.start(options);
    try {
      await act(there);
    } finally {
      await there.stop();
    }
  }

  /** Stops Redis in the moment in which such a script is sent: it runs when Redis goes on, and not before. */
  pauseAt(which: (script: SentScript) => boolean): void {
    const client = this.#client;
    const evalSha = client.evalSha.bind(client);
    client.evalSha = (sha, script) => {
      if (!which(script)) return evalSha(sha, script);
      client.evalSha = evalSha;
      this.redis.pause();
      return evalSha(sha, script);
    };
  }

  /** Lets Redis go on, and waits until the plugin has found out. */
  async resume(): Promise<void> {
    this.redis.resume();
    await this.isUp();
  }

  async isUp(): Promise<void> {
    await until(async () => (await this.world.qr.health()).ok);
  }

  /** Until that many browsers wait. */
  async waiting(browsers: number): Promise<void> {
    await until(async () => (await this.world.qr.health()).waiting === browsers);
  }

  /** As it is left, by a failed test as well. */
  async stop(): Promise<void> {
    this.redis.resume();
    await this.leave();
    await this.redis.stop();
  }

  /** The node alone. */
  async leave(): Promise<void> {
    await this.world.stop();
    await this.#store.disconnect().catch(() => undefined);
  }
}
