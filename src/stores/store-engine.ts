import type { Keyv } from 'keyv';
import type { Clock, Notes, Signals, TicketStore } from '../ticket/ports.ts';
import type { SignedInBrowsers } from '../ticket/signed-in-browser.ts';
import type { Ticket } from '../ticket/ticket.ts';
import type { Rate, RateLimit } from './rate-limit.ts';

/** Keeps tickets and announces their changes: in this process, or in Redis for any number of processes. */
export interface Engine {
  /** `memory`, `keyv` or `redis`, in metrics and in the health of the process. */
  readonly name: string;
  readonly store: TicketStore;
  readonly notes: Notes;
  readonly browsers: SignedInBrowsers;
  readonly signals: Signals;
  /** The clock that all processes on this store agree on. */
  readonly clock: Clock;
  readonly rateLimit: (name: string, rate: Rate) => RateLimit;
  /** Asks the store for any answer. @throws QrLoginError `store_unavailable` if it does not answer in time */
  readonly ping: () => Promise<void>;
  /** Returns true if changes that other processes make arrive here. */
  readonly hearsOthers: () => boolean;
  readonly close: () => Promise<void>;
}

/** Callbacks for things that happen outside of any request. */
export interface BackgroundCallbacks {
  /** Called when something went wrong in the background. */
  readonly onTrouble: (error: Error) => void;
  /** Called when a ticket was written after its caller had already got an error. */
  readonly onLate: (ticket: Ticket) => void;
}

/** Makes the engine over a Keyv; returns undefined if the Keyv is of a kind that another engine serves. */
export type MakeEngine = (keyv: Keyv, clock: Clock, callbacks: BackgroundCallbacks) => Engine | undefined;
