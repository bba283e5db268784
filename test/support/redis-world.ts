/** A {@link World} that stores everything in its own Redis. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { getStorePatience, setStorePatience } from '../../src/stores/deadline.ts';
import { RedisLink } from '../../src/stores/redis/link.ts';
import { SHORT } from '../stores/patience.ts';
import { RedisServer } from './redis.ts';
import { until } from './until.ts';
import { World, type WorldOptions } from './world.ts';

/** The keys and arguments of a script that the plugin sends to Redis to write something. */
export interface SentScript {
  readonly keys: string[];
  readonly arguments: string[];
}

export class RedisWorld {
  readonly redis: RedisServer;
  readonly world: World;
  readonly #store: Keyv;
  /** The milliseconds that stores may take while Redis is not paused. */
  #patience: number | undefined;
  #unpatch: () => void = () => undefined;

  private constructor(redis: RedisServer, world: World, store: Keyv) {
    this.redis = redis;
    this.world = world;
    this.#store = store;
  }

  /** Starts a world. @param at the Redis of another world, which will stop it. By default, a new Redis is started. */
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

  /** Pauses Redis: it keeps its connections, but answers nothing. From then on each access fails after a short time. */
  pause(): void {
    this.#patience ??= getStorePatience();
    setStorePatience(SHORT);
    this.redis.pause();
  }

  /**
   * Pauses Redis at the moment at which the plugin sends a matching script. Redis runs the script only after it
   * resumes, and this access fails after a short time. Until Redis resumes, the plugin sends nothing else, because it
   * knows that Redis does not answer.
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
      // The time-out is short only for this call. If it stayed short, the plugin would soon close the silent
      // connection, too.
      const usual = getStorePatience();
      setStorePatience(SHORT);
      try {
        return run.call(this, script, keys, values, onLate);
      } finally {
        setStorePatience(usual);
      }
    };
  }

  /** Resumes Redis, and waits until the plugin has noticed. */
  async resume(): Promise<void> {
    this.#goOn();
    await this.untilUp();
  }

  async untilUp(): Promise<void> {
    await until(async () => (await this.world.qr.health()).ok);
  }

  /** Waits until this number of browsers is waiting. */
  async untilWaiting(browsers: number): Promise<void> {
    await until(async () => (await this.world.qr.health()).waiting === browsers);
  }

  /** Stops the world and Redis, in any state that a failed test leaves them in. */
  async stop(): Promise<void> {
    this.#goOn();
    try {
      await this.leave();
    } finally {
      await this.redis.stop();
    }
  }

  /** Stops the world, but not Redis. */
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
