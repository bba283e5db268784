import type { Clock, TicketStore } from '../../ticket/ports.ts';
import { keptUntil, type Ticket } from '../../ticket/ticket.ts';
import type { RedisKeyNames } from './key-names.ts';
import type { RedisLink } from './link.ts';
import { SWAP } from './scripts.ts';

/** The callbacks of a ticket store. */
export interface TicketStoreCallbacks {
  /** Called with a ticket that was written after its caller had already got an error. */
  readonly onLate: (ticket: Ticket) => void;
  /** Called if a ticket was written, but Redis refused to publish it. @param reason the error of Redis */
  readonly onUnpublished: (reason: string) => void;
}

/**
 * Tickets in Redis, for any number of processes. Each change is one script, which also publishes it to the watchers.
 */
export class RedisTicketStore implements TicketStore {
  readonly #link: RedisLink;
  readonly #keys: RedisKeyNames;
  readonly #clock: Clock;
  readonly #callbacks: TicketStoreCallbacks;

  constructor(link: RedisLink, keys: RedisKeyNames, clock: Clock, callbacks: TicketStoreCallbacks) {
    this.#link = link;
    this.#keys = keys;
    this.#clock = clock;
    this.#callbacks = callbacks;
  }

  create(ticket: Ticket): Promise<boolean> {
    return this.#write('', ticket);
  }

  async find(id: string): Promise<Ticket | undefined> {
    const stored = await this.#link.get(this.#keys.ticket(id));
    return stored === null ? undefined : parse(stored);
  }

  async findByInteraction(uid: string): Promise<Ticket | undefined> {
    const stored = await this.#link.get(this.#keys.interaction(uid));
    return stored === null ? undefined : parse(stored.slice(stored.indexOf('\n') + 1));
  }

  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    // A ticket that had reached its deadline was not ended by this swap, so it is not reported as ended.
    const voided = ended !== undefined && ended.since < previous.deadline ? ended : undefined;
    return this.#write(nameOf(previous), next, { ended, voided });
  }

  async #write(
    expected: string,
    next: Ticket,
    { ended, voided }: { ended?: Ticket | undefined; voided?: Ticket | undefined } = {},
  ): Promise<boolean> {
    const keys = this.#keys;
    const { id, interaction } = next;
    const written = await this.#link.run(
      SWAP,
      [
        keys.interaction(interaction),
        keys.ticket(id),
        keys.watchers(interaction),
        ...(ended ? [keys.ticket(ended.id)] : []),
      ],
      [
        expected,
        nameOf(next),
        JSON.stringify(next),
        this.#timeLeft(next),
        keys.channels,
        ...(ended ? [JSON.stringify(ended), this.#timeLeft(ended)] : []),
      ],
      (late) => {
        if (!this.#isWritten(late)) return;
        if (voided !== undefined) this.#callbacks.onLate(voided);
        this.#callbacks.onLate(next);
      },
    );
    return this.#isWritten(written);
  }

  #isWritten(answer: unknown): boolean {
    if (typeof answer !== 'string') return answer === 1;
    this.#callbacks.onUnpublished(answer);
    return true;
  }

  #timeLeft(ticket: Ticket): string {
    return `${Math.max(1, Math.round(keptUntil(ticket) - this.#clock()))}`;
  }
}

/** Returns the line that identifies an interaction's ticket and its version. */
function nameOf({ id, version }: Ticket): string {
  return `${id} ${version}\n`;
}

function parse(stored: string): Ticket {
  return JSON.parse(stored);
}
