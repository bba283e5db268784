/** The states in which a phone sees a ticket. The last four are final. */
export type TicketState = 'scanned' | 'approved' | 'finished' | 'denied' | 'cancelled' | 'expired';

/**
 * The reason for which a ticket was denied or cancelled: the user said no (`person`) or did not start it (`report`),
 * the provider's assessment (`risk`, `blocked`), a requirement that was not met (`account`, `local`, `freshness`,
 * `acr`, `enrolled`), a new code in the browser (`renewed`), a cancellation by the browser (`browser`) or by the
 * requester of the action (`requester`), or too many wrong check codes (`check-code`).
 */
export type EndReason =
  | 'person'
  | 'report'
  | 'risk'
  | 'blocked'
  | 'account'
  | 'local'
  | 'freshness'
  | 'acr'
  | 'enrolled'
  | 'renewed'
  | 'browser'
  | 'requester'
  | 'check-code';

/** A scope or a claim, and its meaning in the language of `Accept-Language`, if the provider has a text for it. */
export interface NamedText {
  readonly name: string;
  readonly text?: string;
}

/** A place, as the provider's database of addresses has it. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly city?: string;
}

/**
 * The demand that the app's own sign-in does not meet. For `freshness`, `acr` and `local`, sign in again with these
 * `max_age`, `acr_values` and `login_hint`, and go on with the same ticket. For `account`, only another account can
 * approve; for `enrolled`, none can, because the browser is not enrolled.
 */
export interface Requirement {
  readonly kind: 'freshness' | 'acr' | 'local' | 'account' | 'enrolled';
  /** The longest time since the sign-in, in seconds; 0 demands a sign-in now. */
  readonly maxAge?: number;
  readonly acrValues?: readonly string[];
  readonly loginHint?: string;
}

/** The client that asks. `host` is the destination of the answer; `logoUri` is chosen by the client and proves nothing. */
export interface TicketClient {
  readonly id: string;
  readonly name: string;
  readonly host?: string;
  readonly logoUri?: string;
}

/** The sign-in or the action that the user is asked to approve. Show all of it, as text: apps choose their names. */
export interface TicketView {
  readonly id: string;
  /** Grows with each change. */
  readonly version: number;
  readonly state: TicketState;
  /** The reason why the ticket was denied or cancelled; absent in other states. */
  readonly reason?: EndReason;
  /** Seconds until this state ends by itself; absent if it is final. */
  readonly expiresIn?: number;
  /** Seconds since the code was first shown. */
  readonly shownAgo: number;
  /** Present if an action is asked for, and no sign-in: what is approved, and its details in lines. */
  readonly action?: { readonly title: string; readonly details: string };
  /**
   * The app that the browser signs in to, or that asks for the action. `host` is the destination of the answer, which
   * the provider has verified. The name is chosen by the app.
   */
  readonly client: TicketClient;
  /** Present if the client asks without a browser: the message that the client shows as well, if it has sent one. */
  readonly backchannel?: { readonly bindingMessage?: string };
  /** The browser that shows the code, as far as it is known. */
  readonly browser: { readonly name?: string; readonly system?: string; readonly place?: Place };
  readonly scopes: readonly NamedText[];
  readonly claims: readonly NamedText[];
  readonly resources: readonly { readonly id: string; readonly scopes: readonly NamedText[] }[];
  /** True if approving also grants the scopes, claims and resources. */
  readonly consent: boolean;
  /** The account that will be signed in, or that is asked. */
  readonly account: { readonly name: string };
  /** The demand that keeps Approve from being offered; absent if it may be offered. */
  readonly requirement?: Requirement;
  /**
   * The proof that Approve requires besides a tap: the answer to a question, or a passkey's assertion for these
   * options. `unavailable`: no proof is possible now, so that the user cannot approve. Absent if a tap is enough.
   */
  readonly challenge?: { readonly question: string } | { readonly passkey: object } | { readonly unavailable: true };
  /**
   * The durations for which the browser may stay signed in, for the user to choose from: `session` (until it is
   * closed), `8h` (hours) or `30d` (days). Absent if there is no choice.
   */
  readonly durations?: readonly string[];
  /** True if the user types the two digits that the browser shows. They approve, as `match`. */
  readonly typesNumber?: true;
  /** The three numbers of which the user taps the one that the browser shows. This tap approves. */
  readonly numbers?: readonly string[];
  /** The six digits that the user types into the browser, once approved. */
  readonly checkCode?: string;
}
