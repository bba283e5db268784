/** A {@link World} that keeps everything in a Redis of its own. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { getStorePatience, setStorePatience } from '../../src/stores/access.ts';
import { RedisLink } from '../../src/stores/redis/link.ts';
import { SHORT } from '../stores/patience.ts';
import { RedisServer } from './redis.ts';
import { until } from './until.ts';
import { World, type WorldOptions } from './world.ts';

/** What the plugin sends to Redis where something is written. */
export interface SentScript {
  readonly keys: string[];
  readonly arguments: string[];
}

export class RedisWorld {
  readonly redis: RedisServer;
  readonly world: World;
  readonly #store: Keyv;
  /** How long stores may take when Redis is not paused. */
  #patience: number | undefined;
  #unpatch: () => void = () => undefined;

  private constructor(redis: RedisServer, world: World, store: Keyv) {
    this.redis = redis;
    this.world = world;
    this.#store = store;
  }

  /** @param at the Redis of another node, which then stops it */
  static async start(options: WorldOptions = {}, at?: RedisServer): Promise<RedisWorld> {
    const redis = at ?? (await RedisServer.start());
    const store = new Keyv({ store: new KeyvRedis<unknown>(redis.url) });
    try {
      return new RedisWorld(redis, await World.start({ ...options, store }), store);
    } catch (error) {
      await store.disconnect().catch(() => undefined);
      if (at === undefined) await redis.stop();
      throw error;
    }
  }

  static async during(options: WorldOptions, act: (there: RedisWorld) => Promise<void>): Promise<void> {
    const there = await RedisWorld.start(options);
    try {
      await act(there);
    } finally {
      await there.stop();
    }
  }

  /** Stops Redis: it keeps its connections and answers nobody. From then on an answer is late after a moment. */
  pause(): void {
    this.#patience ??= getStorePatience();
    setStorePatience(SHORT);
    this.redis.pause();
  }

  /**
   * Stops Redis in the moment in which such a script is sent: it runs when Redis goes on, and not before. The answer to this script is
   * late after a moment. Nothing else is asked of Redis until then, as it is known to be silent.
   */
  pauseAt(which: (script: SentScript) => boolean): void {
    const { run } = RedisLink.prototype;
    const redis = this.redis;
    this.#unpatch = () => {
      RedisLink.prototype.run = run;
    };
    RedisLink.prototype.run = function (this: RedisLink, script, keys, values = [], onLate) {
      if (!which({ keys, arguments: values })) return run.call(this, script, keys, values, onLate);
      RedisLink.prototype.run = run;
      redis.pause();
      // Not for longer than this call: a silent connection would be given up soon as well.
      const usual = getStorePatience();
      setStorePatience(SHORT);
      try {
        return run.call(this, script, keys, values, onLate);
      } finally {
        setStorePatience(usual);
      }
    };
  }

  /** Lets Redis go on, and waits until the plugin has found out. */
  async resume(): Promise<void> {
    this.#goOn();
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
    this.#goOn();
    try {
      await this.leave();
    } finally {
      await this.redis.stop();
    }
  }

  /** The node alone. */
  async leave(): Promise<void> {
    try {
      await this.world.stop();
    } finally {
      await this.#store.disconnect().catch(() => undefined);
    }
  }

  #goOn(): void {
    this.#unpatch();
    this.#unpatch = () => undefined;
    this.redis.resume();
    if (this.#patience !== undefined) setStorePatience(this.#patience);
    this.#patience = undefined;
  }
}
