/** Plays one of several processes on Redis, with its own connection: a Keyv, and an engine over this Keyv. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { chooseEngine } from '../../../src/stores/choose-engine.ts';
import type { StoreEngine } from '../../../src/stores/store-engine.ts';
import type { Clock } from '../../../src/ticket/ports.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { eventually } from '../../support/until.ts';

type Connection = ConstructorParameters<typeof KeyvRedis>[0];

export class RedisProcess {
  readonly keyv: Keyv;
  readonly backend: KeyvRedis<unknown>;
  readonly engine: StoreEngine;
  /** The errors that did not belong to a request. */
  readonly troubles: Error[] = [];
  /** The tickets that were written after their callers had got an error. */
  readonly late: Ticket[] = [];

  /** Like a deployment, it sets no time-outs and has no listener for errors. */
  constructor(connection: Connection, clock: Clock = () => Date.now()) {
    this.backend = new KeyvRedis(connection);
    this.keyv = new Keyv(this.backend);
    this.engine = chooseEngine(this.keyv, clock, {
      onTrouble: (error) => this.troubles.push(error),
      onLate: (ticket) => this.late.push(ticket),
    });
  }

  get store(): StoreEngine['store'] {
    return this.engine.store;
  }

  get signals(): StoreEngine['signals'] {
    return this.engine.signals;
  }

  /** Waits until it receives the messages of other processes. */
  untilListening(): Promise<void> {
    return eventually('hears other processes', () => this.engine.hearsOthers());
  }

  /** Waits until the store answers again. */
  untilAnswering(): Promise<void> {
    const ping = () =>
      this.engine.ping().then(
        () => true,
        () => false,
      );
    return eventually('the store answers', ping);
  }

  /** Closes the engine first, as a deployment does, and then the Keyv's connection. */
  async close(): Promise<void> {
    await this.engine.close();
    if (this.backend.client.isOpen) await this.backend.disconnect(true);
  }
}

/** Starts a process and waits until it receives the messages of other processes. */
export async function startProcess(connection: Connection, clock?: Clock): Promise<RedisProcess> {
  const process = new RedisProcess(connection, clock);
  await process.untilListening();
  return process;
}
