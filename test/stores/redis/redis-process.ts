/** What one of several processes has on Redis: a Keyv with a connection of its own, and the engine on that. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { type Engine, engineFor } from '../../../src/stores/engine.ts';
import type { Clock } from '../../../src/ticket/ports.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { eventually } from '../../support/until.ts';

type Connection = ConstructorParameters<typeof KeyvRedis>[0];

export class RedisProcess {
  readonly keyv: Keyv;
  readonly backend: KeyvRedis<unknown>;
  readonly engine: Engine;
  /** What went wrong while nobody waited for it. */
  readonly troubles: Error[] = [];
  /** What was written after all. */
  readonly late: Ticket[] = [];

  /** As a deployment does it: nothing is said of time-outs, and nobody listens for errors. */
  constructor(connection: Connection, clock: Clock = () => Date.now()) {
    this.backend = new KeyvRedis(connection);
    this.keyv = new Keyv(this.backend);
    this.engine = engineFor(this.keyv, clock, {
      onTrouble: (error) => this.troubles.push(error),
      onLate: (ticket) => this.late.push(ticket),
    });
  }

  get store(): Engine['store'] {
    return this.engine.store;
  }

  get signals(): Engine['signals'] {
    return this.engine.signals;
  }

  /** Waits until it hears what others write. */
  listens(): Promise<void> {
    return eventually('hears other processes', () => this.engine.hearsOthers());
  }

  /** Waits until the store answers again. */
  answers(): Promise<void> {
    const ping = () =>
      this.engine.ping().then(
        () => true,
        () => false,
      );
    return eventually('the store answers', ping);
  }

  /** The engine first, as a deployment does; the connection is its own. */
  async close(): Promise<void> {
    await this.engine.close();
    if (this.backend.client.isOpen) await this.backend.disconnect(true);
  }
}

/** A process whose engine can do all that it should. */
export async function startProcess(connection: Connection, clock?: Clock): Promise<RedisProcess> {
  const process = new RedisProcess(connection, clock);
  await process.listens();
  return process;
}
