import type { Keyv } from 'keyv';
import type { KnownBrowsers } from '../ticket/browsers/known-browser.ts';
import type { SignedInBrowsers } from '../ticket/browsers/signed-in-browser.ts';
import type { Clock, Notes, Signals, TicketStore } from '../ticket/ports.ts';
import type { PendingRequests } from '../ticket/requests/pending-request.ts';
import type { PushSubscriptions } from '../ticket/requests/push-subscription.ts';
import type { Ticket } from '../ticket/ticket.ts';
import type { Rate, RateLimit } from './rate-limit.ts';

/**
 * Keeps tickets and announces their changes: in this process, or in a store that several processes share.
 * `storeContract` of `oidc-provider-qr-login/store-contract` tests all that it must do. A part that fails may throw any
 * error.
 *
 * Names of notes, accounts of lists and keys of limits are opaque texts: MACs of the issuer and the name. Tickets and
 * entries of lists may have fields that their type does not have; they must come back as they were. `known` also keeps
 * the lists for operators.
 */
export interface StoreEngine {
  /** A short name for metrics and health: `memory`, `keyv`, `redis`, or yours. */
  readonly name: string;
  readonly store: TicketStore;
  readonly notes: Notes;
  /** The browsers that each account is signed in to by QR. */
  readonly browsers: SignedInBrowsers;
  /** The browsers that each account trusts. */
  readonly known: KnownBrowsers;
  /** The requests that wait for each account's decision. */
  readonly requests: PendingRequests;
  /** The phones of each account that are told by Web Push about its requests. */
  readonly subscriptions: PushSubscriptions;
  readonly signals: Signals;
  /** The clock that all processes on this store agree on. */
  readonly clock: Clock;
  /** Makes a limit. Limits with different names count separately. */
  readonly rateLimit: (name: string, rate: Rate) => RateLimit;
  /**
   * Writes any small value. Rejects if the store does not answer, or takes no writes because it is full or read-only.
   * After a call has resolved, there is no other call for a second.
   */
  readonly ping: () => Promise<void>;
  /** Returns true if changes that other processes make arrive here. */
  readonly hearsOthers: () => boolean;
  /** Ends what the engine started. It is called once, when the plugin closes. */
  readonly close: () => Promise<void>;
}

/** Callbacks for things that happen outside of any request. */
export interface BackgroundCallbacks {
  /** Called when something went wrong in the background. */
  readonly onTrouble: (error: Error) => void;
  /** Called when a ticket was written after its caller had already got an error. */
  readonly onLate: (ticket: Ticket) => void;
}

/**
 * Makes the engine of a deployment's own store, for the option `store`.
 * @param clock the plugin's clock: the engine's own clock may be another one that all processes agree on
 */
export type MakeStoreEngine = (clock: Clock, callbacks: BackgroundCallbacks) => StoreEngine;

/** Makes the engine over a Keyv; returns undefined if the Keyv is of a kind that another engine serves. */
export type MakeKeyvEngine = (keyv: Keyv, clock: Clock, callbacks: BackgroundCallbacks) => StoreEngine | undefined;
