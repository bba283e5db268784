import { randomUUID } from 'node:crypto';
import type { BrowserList, ListedBrowser } from '../../ticket/browsers/browser-list.ts';
import type { Clock } from '../../ticket/ports.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import type { LiveCounts } from './expiry.ts';
import type { EmitTicketEvent, TicketEventName, TicketFacts } from './ticket-events.ts';

/** A ticket, as its latest event describes it. */
export interface RecentTicket {
  /** The name of the ticket in all events and logs. It gives no access to the ticket. */
  readonly ticket: string;
  readonly state: RecentState;
  /** The time of the event, in milliseconds since the epoch. */
  readonly at: number;
  readonly shownAt: number;
  readonly clientId: string;
  /** The network address of the browser that shows the code. */
  readonly browserFrom: string;
  readonly accountId?: string;
  /** The `client_id` of the app in which the account decides. */
  readonly app?: string;
  readonly because?: string;
  readonly kind: 'sign-in' | 'action' | 'backchannel';
}

export type RecentState =
  | 'waiting'
  | 'scanned'
  | 'approved'
  | 'denied'
  | 'reported'
  | 'cancelled'
  | 'expired'
  | 'redeemed';

/** The tickets and browsers that the processes on a store have seen. */
export interface Activity {
  readonly live: LiveCounts;
  /** The browsers that wait on a stream or a long poll. */
  readonly connected: number;
  /** The number of processes that have reported within 15 seconds. */
  readonly processes: number;
  /** The latest tickets, the latest event first. */
  readonly tickets: readonly RecentTicket[];
}

/** The record of one process. */
export interface NodeActivity extends ListedBrowser {
  readonly live: LiveCounts;
  readonly connected: number;
  readonly tickets: readonly RecentTicket[];
}

const STATES: Readonly<Record<TicketEventName, RecentState>> = {
  'qr_login.shown': 'waiting',
  'qr_login.scanned': 'scanned',
  'qr_login.approved': 'approved',
  'qr_login.denied': 'denied',
  'qr_login.reported': 'reported',
  'qr_login.cancelled': 'cancelled',
  'qr_login.expired': 'expired',
  'qr_login.finished': 'redeemed',
};

/** The tickets that a process keeps of each of two sorts: those that an account has scanned, and the others. */
const MOST_OF_A_SORT = 50;
/** The name of the list of all processes. */
const ALL_NODES = '';
const SHARE_EVERY_MS = 2_000;
/** The longest time between two records of a process that has live tickets. */
const REPEAT_AFTER_MS = 5_000;
/** The time for which the counts of a process are taken to be true. */
const COUNTS_LAST_MS = 15_000;
/** The time for which the tickets of a process are listed after its last record. */
const RECORD_LASTS_MS = 60 * 60_000;

export interface ActivityPorts {
  /** The records of all processes. */
  readonly nodes: Pick<BrowserList<NodeActivity>, 'put' | 'list' | 'remove'>;
  /** False if this is the only process on the store: nothing is written then. */
  readonly isShared: boolean;
  readonly countLive: () => LiveCounts;
  readonly countConnected: () => number;
  readonly clock: Clock;
}

/**
 * Remembers the latest tickets of this process, and shares them with the other processes on the store: one small record
 * every two seconds while tickets change. No request waits for that, and its failure fails no request.
 */
export class ActivityRecorder {
  readonly #ports: ActivityPorts;
  readonly #node: string = randomUUID();
  /** Kept apart, so that a flood of new codes does not push out the tickets that accounts have scanned. */
  readonly #scanned = new Map<string, RecentTicket>();
  readonly #unscanned = new Map<string, RecentTicket>();
  readonly #timer: NodeJS.Timeout | undefined;
  #hasChanged = false;
  #sharedAt = 0;

  constructor(ports: ActivityPorts) {
    this.#ports = ports;
    if (ports.isShared) this.#timer = setInterval(() => void this.#shareIfDue(), SHARE_EVERY_MS).unref();
  }

  /** Returns an emitter that also remembers the ticket of each event. */
  recordWith(emit: EmitTicketEvent): EmitTicketEvent {
    return (ctx, name, facts) => {
      this.#remember(name, facts);
      emit(ctx, name, facts);
    };
  }

  /** Returns what all processes have seen. @throws QrLoginError `store_unavailable` */
  async read(): Promise<Activity> {
    const { nodes, isShared, clock } = this.#ports;
    const others = isShared ? (await nodes.list(ALL_NODES)).filter(({ id }) => id !== this.#node) : [];
    const now = clock();
    const alive = [this.#describe(), ...others.filter(({ lastUsedAt }) => now - lastUsedAt < COUNTS_LAST_MS)];
    return {
      live: sumOf(alive.map(({ live }) => live)),
      connected: alive.reduce((sum, { connected }) => sum + connected, 0),
      processes: alive.length,
      tickets: latestOf([...this.#tickets(), ...others.flatMap(({ tickets }) => tickets)]),
    };
  }

  /** Stops, and takes the record of this process back. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#sharedAt > 0) await this.#ports.nodes.remove(ALL_NODES, this.#node);
  }

  #remember(name: TicketEventName, facts: TicketFacts): void {
    const { id, shownAt, clientId, browserFrom, accountId, app, because, action, backchannel } = facts;
    const ticket = traceOf(id);
    this.#unscanned.delete(ticket);
    this.#scanned.delete(ticket);
    const tickets = accountId === undefined ? this.#unscanned : this.#scanned;
    tickets.set(ticket, {
      ticket,
      state: STATES[name],
      at: this.#ports.clock(),
      shownAt,
      clientId,
      browserFrom,
      ...(accountId !== undefined && { accountId }),
      ...(app !== undefined && { app }),
      ...(because !== undefined && { because }),
      kind: action ? 'action' : backchannel ? 'backchannel' : 'sign-in',
    });
    // A Map keeps the order in which entries were added.
    const [oldest] = tickets.size > MOST_OF_A_SORT ? tickets.keys() : [];
    if (oldest !== undefined) tickets.delete(oldest);
    this.#hasChanged = true;
  }

  #tickets(): RecentTicket[] {
    return [...this.#scanned.values(), ...this.#unscanned.values()];
  }

  #describe(): Pick<NodeActivity, 'live' | 'connected' | 'tickets'> {
    const { countLive, countConnected } = this.#ports;
    return { live: countLive(), connected: countConnected(), tickets: this.#tickets() };
  }

  async #shareIfDue(): Promise<void> {
    const { nodes, clock } = this.#ports;
    const described = this.#describe();
    const { waiting, scanned, approved } = described.live;
    const now = clock();
    const isRepeated = waiting + scanned + approved > 0 && now - this.#sharedAt >= REPEAT_AFTER_MS;
    if (!this.#hasChanged && !isRepeated) return;
    this.#hasChanged = false;
    this.#sharedAt = now;
    try {
      await nodes.put(ALL_NODES, { id: this.#node, lastUsedAt: now, endsAt: now + RECORD_LASTS_MS, ...described });
    } catch {
      // The requests that need the store report that it does not answer. This record is written at the next round.
      this.#hasChanged = true;
    }
  }
}

function sumOf(counts: readonly LiveCounts[]): LiveCounts {
  const sum = { waiting: 0, scanned: 0, approved: 0 };
  for (const { waiting, scanned, approved } of counts) {
    sum.waiting += waiting;
    sum.scanned += scanned;
    sum.approved += approved;
  }
  return sum;
}

/** Returns each ticket once, as its latest event describes it, the latest one first. */
function latestOf(tickets: readonly RecentTicket[]): RecentTicket[] {
  const latest = new Map<string, RecentTicket>();
  for (const ticket of tickets) {
    const known = latest.get(ticket.ticket);
    if (known === undefined || known.at < ticket.at) latest.set(ticket.ticket, ticket);
  }
  return [...latest.values()].sort((one, other) => other.at - one.at);
}
