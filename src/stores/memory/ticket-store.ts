import type { Keyv } from 'keyv';
import type { Clock, TicketStore } from '../../ticket/ports.ts';
import { keptUntil, type Ticket } from '../../ticket/ticket.ts';
import { Access } from '../access.ts';
import type { LocalSignals } from '../local-signals.ts';
import { WriteProbe } from '../write-probe.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import { type Values, valuesOf } from './values.ts';

const PROBE_KEY = 'probe';
const PROBE_LASTS_MS = 10_000;

/**
 * Tickets in any Keyv, for one process. Keyv can only get and set, so a mutex for each interaction makes the two one
 * step. Two processes on one backend would not see each other's mutex.
 */
export class KeyvTicketStore implements TicketStore {
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #signals: LocalSignals;
  readonly #access: Access;
  readonly #mutex: KeyedMutex;
  readonly #probe: WriteProbe;

  constructor(keyv: Keyv, clock: Clock, signals: LocalSignals) {
    this.#values = valuesOf(keyv);
    this.#access = new Access(this.#values.engine, this.#values.patience);
    this.#mutex = new KeyedMutex(this.#values.patience);
    this.#clock = clock;
    this.#signals = signals;
    this.#probe = new WriteProbe(() => this.#values.set(PROBE_KEY, 1, PROBE_LASTS_MS));
  }

  create(ticket: Ticket): Promise<boolean> {
    return this.#step('create', ticket.interaction, async () => {
      if ((await this.#current(ticket.interaction)) !== undefined) return false;
      await this.#put(ticket);
      return true;
    });
  }

  find(id: string): Promise<Ticket | undefined> {
    return this.#access.make('find', () => this.#get(id));
  }

  findByInteraction(uid: string): Promise<Ticket | undefined> {
    return this.#access.make('find', () => this.#current(uid));
  }

  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return this.#step('swap', previous.interaction, async () => {
      // A replaced ticket can still be found by its id, but it must not become the interaction's ticket again.
      const stored = await this.#current(previous.interaction);
      if (stored?.id !== previous.id || stored.version !== previous.version) return false;
      if (ended !== undefined) await this.#set(ticketKey(ended.id), ended, this.#timeLeft(ended));
      await this.#put(next);
      return true;
    });
  }

  /**
   * Reads any key, and writes one at most once a second.
   * @throws QrLoginError `store_unavailable` if the store does not answer or takes no writes
   */
  async ping(): Promise<void> {
    await this.#access.make('ping', () => Promise.all([this.#values.get(PROBE_KEY), this.#probe.assertWritable()]));
  }

  #step(operation: string, interaction: string, task: () => Promise<boolean>): Promise<boolean> {
    return this.#access.make(operation, () => this.#mutex.run(interaction, task));
  }

  async #current(uid: string): Promise<Ticket | undefined> {
    const id = await this.#values.get<string>(interactionKey(uid));
    return id === undefined ? undefined : this.#get(id);
  }

  #get(id: string): Promise<Ticket | undefined> {
    return this.#values.get<Ticket>(ticketKey(id));
  }

  /**
   * Writes and announces the ticket, and writes its interaction's lookup key. Both expire at the end of the time for
   * which the ticket is kept.
   */
  async #put(ticket: Ticket): Promise<void> {
    const ttl = this.#timeLeft(ticket);
    await Promise.all([
      this.#set(ticketKey(ticket.id), ticket, ttl),
      this.#set(interactionKey(ticket.interaction), ticket.id, ttl),
    ]);
    this.#signals.publish(ticket);
  }

  async #set(key: string, value: unknown, ttl: number): Promise<void> {
    await this.#values.set(key, value, ttl);
  }

  #timeLeft(ticket: Ticket): number {
    return Math.max(1, keptUntil(ticket) - this.#clock());
  }
}

function ticketKey(id: string): string {
  return `ticket:${id}`;
}

function interactionKey(uid: string): string {
  return `interaction:${uid}`;
}
