/** Wraps stores: to report writes, to drop expired tickets, to schedule accesses, or to add a deliberate fault. */
import type { Scheduler } from 'fast-check';
import type { Clock, TicketStore } from '../../../src/ticket/ports.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import type { Act } from './acts.ts';

/** A write, and the act that made it. */
export interface Write {
  readonly previous?: Ticket;
  readonly next: Ticket;
  readonly ended?: Ticket;
  readonly act: Act | undefined;
  readonly now: number;
}

class WrappingStore implements TicketStore {
  protected readonly store: TicketStore;

  constructor(store: TicketStore) {
    this.store = store;
  }

  create(ticket: Ticket): Promise<boolean> {
    return this.store.create(ticket);
  }

  find(id: string): Promise<Ticket | undefined> {
    return this.store.find(id);
  }

  findByInteraction(uid: string): Promise<Ticket | undefined> {
    return this.store.findByInteraction(uid);
  }

  swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return this.store.swap(previous, next, ended);
  }
}

/** Reports each write that succeeded. */
export class WatchedStore extends WrappingStore {
  readonly #tell: (write: Omit<Write, 'act' | 'now'>) => void;

  constructor(store: TicketStore, tell: (write: Omit<Write, 'act' | 'now'>) => void) {
    super(store);
    this.#tell = tell;
  }

  override async create(ticket: Ticket): Promise<boolean> {
    const written = await super.create(ticket);
    if (written) this.#tell({ next: ticket });
    return written;
  }

  override async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    const written = await super.swap(previous, next, ended);
    if (written) this.#tell({ previous, next, ...(ended && { ended }) });
    return written;
  }
}

/** Drops a ticket at its deadline, by the clock of the walk. */
export class ForgetfulStore extends WrappingStore {
  readonly #clock: Clock;

  constructor(store: TicketStore, clock: Clock) {
    super(store);
    this.#clock = clock;
  }

  override async create(ticket: Ticket): Promise<boolean> {
    const there = await super.findByInteraction(ticket.interaction);
    return there !== undefined && this.#isGone(there) ? super.swap(there, ticket) : super.create(ticket);
  }

  override async find(id: string): Promise<Ticket | undefined> {
    return this.#remembered(await super.find(id));
  }

  override async findByInteraction(uid: string): Promise<Ticket | undefined> {
    return this.#remembered(await super.findByInteraction(uid));
  }

  override async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return this.#isGone(previous) ? false : super.swap(previous, next, ended);
  }

  #remembered(ticket: Ticket | undefined): Ticket | undefined {
    return ticket !== undefined && this.#isGone(ticket) ? undefined : ticket;
  }

  #isGone({ deadline }: Ticket): boolean {
    return this.#clock() >= deadline;
  }
}

/** Delays each access until the scheduler runs it. */
export class ScheduledStore extends WrappingStore {
  readonly #scheduler: Scheduler;

  constructor(store: TicketStore, scheduler: Scheduler) {
    super(store);
    this.#scheduler = scheduler;
  }

  override async create(ticket: Ticket): Promise<boolean> {
    await this.#turn('create');
    return super.create(ticket);
  }

  override async find(id: string): Promise<Ticket | undefined> {
    await this.#turn('find');
    return super.find(id);
  }

  override async findByInteraction(uid: string): Promise<Ticket | undefined> {
    await this.#turn('find by interaction');
    return super.findByInteraction(uid);
  }

  override async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    await this.#turn(`swap ${previous.state} ${previous.version} for ${next.state}`);
    return super.swap(previous, next, ended);
  }

  async #turn(access: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), access);
  }
}

/** A store that loses no race, because it overwrites any version. */
export class Reckless extends WrappingStore {
  override async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    const there = await super.findByInteraction(previous.interaction);
    return super.swap(there ?? previous, next, ended);
  }
}

/** A store that writes another ticket than the one that it was given. */
export class FalsifyingStore extends WrappingStore {
  readonly #falsify: (next: Ticket, previous: Ticket | undefined) => Ticket;

  constructor(store: TicketStore, falsify: (next: Ticket, previous: Ticket | undefined) => Ticket) {
    super(store);
    this.#falsify = falsify;
  }

  override create(ticket: Ticket): Promise<boolean> {
    return super.create(this.#falsify(ticket, undefined));
  }

  override swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return super.swap(previous, this.#falsify(next, previous), ended);
  }
}

/** A store that replaces an existing ticket, although it should refuse the new one. */
export class Careless extends WrappingStore {
  override async create(ticket: Ticket): Promise<boolean> {
    const there = await super.findByInteraction(ticket.interaction);
    return there === undefined ? super.create(ticket) : super.swap(there, ticket);
  }
}

/** A store that reports the write of a denial as lost. */
export class Modest extends WrappingStore {
  override async swap(previous: Ticket, next: Ticket, ended?: Ticket): Promise<boolean> {
    return (await super.swap(previous, next, ended)) && next.state !== 'denied';
  }
}
