import type { Listener } from '../ticket/ports.ts';
import type { Ticket } from '../ticket/ticket.ts';

/** What those who wait need to know of the interaction that they wait for. */
export interface Watching {
  readonly read: () => Promise<Ticket | undefined>;
  /** @returns the function that ends the subscription */
  readonly subscribe: (listener: Listener) => () => void;
  /** Who is signed in to the browser already. */
  readonly accountId: string | undefined;
  /** Whether the code is drawn for it: a page may do that by itself. */
  readonly svg: boolean;
  /** When the interaction ends, and the waiting with it; in milliseconds since the epoch. */
  readonly endsAt: number;
}
