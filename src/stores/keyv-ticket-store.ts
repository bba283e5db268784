import type { Keyv } from 'keyv';
import { QrLoginError } from '../ticket/errors.ts';
import type { Clock, TicketStore } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { failLoudly, write } from './fail-loudly.ts';
import { KeyedMutex } from './keyed-mutex.ts';

/**
 * Tickets in any Keyv, for one process: Keyv itself can only get and set, so a mutex for each interaction makes the two
 * one step. Two processes on one backend would not see each other's mutex.
 */
export class KeyvTicketStore implements TicketStore {
  readonly #keyv: Keyv;
  readonly #clock: Clock;
  readonly #mutex = new KeyedMutex();
  readonly #sweep: ExpirySweep;

  constructor(keyv: Keyv, clock: Clock) {
    this.#keyv = failLoudly(keyv);
    this.#clock = clock;
    this.#sweep = new ExpirySweep(keyv);
  }

  create(ticket: Ticket, replaces: string | undefined): Promise<boolean> {
    return this.#mutex.run(ticket.interaction, async () => {
      const place = await this.findByInteraction(ticket.interaction);
      if (place !== undefined && place.id !== replaces) return false;
      await this.#write(ticket);
      return true;
    });
  }

  find(id: string): Promise<Ticket | undefined> {
    return attempt(() => this.#keyv.get<Ticket>(ticketKey(id)));
  }

  async findByInteraction(uid: string): Promise<Ticket | undefined> {
    const id = await attempt(() => this.#keyv.get<string>(interactionKey(uid)));
    return id === undefined ? undefined : this.find(id);
  }

  swap(previous: Ticket, next: Ticket): Promise<boolean> {
    return this.#mutex.run(previous.interaction, async () => {
      // What another ticket has replaced is no longer the interaction's: it must not come back.
      const stored = await this.findByInteraction(previous.interaction);
      if (stored?.id !== previous.id || stored.version !== previous.version) return false;
      await this.#write(next);
      return true;
    });
  }

  close(): void {
    this.#sweep.stop();
  }

  /** The ticket and its interaction's way to it; both die with its deadline. */
  async #write(ticket: Ticket): Promise<void> {
    const ttl = Math.max(1, ticket.deadline - this.#clock());
    await this.#set(ticketKey(ticket.id), ticket, ttl);
    await this.#set(interactionKey(ticket.interaction), ticket.id, ttl);
  }

  async #set(key: string, value: unknown, ttl: number): Promise<void> {
    await attempt(() => write(this.#keyv, key, value, ttl));
    this.#sweep.watch(key, ttl);
  }
}

function ticketKey(id: string): string {
  return `ticket:${id}`;
}

function interactionKey(uid: string): string {
  return `interaction:${uid}`;
}

async function attempt<T>(access: () => Promise<T>): Promise<T> {
  try {
    return await access();
  } catch (cause) {
    throw new QrLoginError('store_unavailable', 'The sign-in cannot be looked up right now. Try again.', { cause });
  }
}
