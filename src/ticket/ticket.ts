/** Somebody who has authenticated. */
export interface Authenticated {
  readonly accountId: string;
  /** When the person last authenticated, in seconds since the epoch: the `auth_time` of OIDC Core, section 2. */
  readonly authenticatedAt: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Who the account is to this client, where the request demands somebody; pairwise clients know everybody by another one. */
  readonly subject?: string;
}

/** The account and session that decide on the phone. */
export interface Approver extends Authenticated {
  /** The `uid` of the phone's session at the provider. */
  readonly sessionUid: string;
}

/** A requirement that the approver does not meet. */
export type Unmet = 'account' | 'freshness' | 'acr';

/** What this authorization request demands of the approver. */
export interface Requirements {
  /** The phone must have authenticated at or after this moment (`prompt=login`), in seconds since the epoch. */
  readonly authenticatedSince?: number;
  /** The phone must have authenticated within this many seconds, or during this request (`max_age`). */
  readonly maxAge?: number;
  /** The one subject that will do, as the client knows it (`id_token_hint`, a `sub` claim with a value). */
  readonly subject?: string;
  /** The authentication must be of one of these classes (an essential `acr` claim). */
  readonly essentialAcr?: readonly string[];
  /** The classes that the client would like best (`acr_values`, a voluntary `acr` claim), the best one first. */
  readonly acrValues?: readonly string[];
}

/** What Approve grants to the client where the deployment lets the phone consent: exactly what the phone was shown. */
export interface Consent {
  /** Whether the phone lists it; what the deployment's own clients ask for goes without saying. */
  readonly listed?: boolean;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** Scopes by the resource that they are for (RFC 8707). */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/** What is asked for, fixed when the ticket is made. The phone shows exactly this. */
export interface SignInRequest {
  readonly client: {
    readonly id: string;
    readonly name: string;
    /** Where the answer goes, as the provider verified it: the redirect URI's host, or its scheme for a native app. */
    readonly host?: string;
  };
  readonly scopes: readonly string[];
  /** What the RP says whom it expects; shown, never trusted. */
  readonly loginHint?: string;
  /** The languages that the RP asks for, the best one first (`ui_locales`). */
  readonly locales: readonly string[];
  readonly requirements: Requirements;
  /** Absent where the browser is asked for consent, as ever. */
  readonly consent?: Consent;
}

/** A browser's random name, and a proof for each account that it was signed in to; it names no account. */
export interface BrowserMemory {
  readonly browserId: string;
  readonly proofs: readonly string[];
}

/** Where a network address is, roughly. */
export interface Place {
  /** Two letters (ISO 3166-1), shown in the language of the page. */
  readonly country?: string;
  /** Shown as it is. */
  readonly city?: string;
}

/** What is known of the browser that shows the code, fixed when the ticket is made. */
export interface Browser {
  /** SHA-256 of the secret in its binding cookie: only this browser may watch and finish. */
  readonly binding: string;
  /** The network address that its requests come from, as far as nobody can make it up; perhaps only a proxy's. */
  readonly source: string;
  /** Its own network address; absent where no trustworthy one is known. */
  readonly address?: string;
  /** Where that address is, as the deployment knows it. */
  readonly place?: Place;
  /** What it claims to be; and what that says to people. */
  readonly userAgent?: string;
  readonly name?: string;
  readonly system?: string;
  /** What its memory cookie says of the accounts that it was signed in to by QR before. */
  readonly memory?: BrowserMemory;
}

interface Fixed {
  readonly id: string;
  /** Goes up by one with each change, and on from one ticket of an interaction to the next. */
  readonly version: number;
  /** The `uid` of the oidc-provider interaction that this ticket resolves. */
  readonly interaction: string;
  readonly request: SignInRequest;
  readonly browser: Browser;
  /** When the code was first shown, in milliseconds since the epoch. */
  readonly shownAt: number;
  /** When this state was entered, in milliseconds since the epoch. */
  readonly since: number;
  /** When this state ends by itself, in milliseconds since the epoch. Set on entering the state, never moved. */
  readonly deadline: number;
  /** When the interaction itself ends; no deadline lies behind it. */
  readonly endsAt: number;
}

export interface WaitingTicket extends Fixed {
  readonly state: 'waiting';
}

export interface ScannedTicket extends Fixed {
  readonly state: 'scanned';
  readonly approver: Approver;
  /** Present where it was claimed by its short code: nothing shows then that the phone was near the screen. */
  readonly typed?: true;
}

export interface ApprovedTicket extends Fixed {
  readonly state: 'approved';
  readonly approver: Approver;
  /** Present where the browser must type the check code first. */
  readonly checkCode?: { readonly wrongTries: number };
  /** Whether the person wants to stay signed in there when the browser is closed. */
  readonly remember: boolean;
}

export interface DeniedTicket extends Fixed {
  readonly state: 'denied';
  readonly approver: Approver;
  /**
   * The person said no, or that somebody else has started this (`report`); the deployment's assessment said no (`risk`); or the
   * phone cannot meet a requirement.
   */
  readonly because: 'person' | 'report' | 'risk' | Unmet;
}

export interface RedeemedTicket extends Fixed {
  readonly state: 'redeemed';
  readonly approver: Approver;
  readonly remember: boolean;
}

export interface CancelledTicket extends Fixed {
  readonly state: 'cancelled';
  readonly because: 'renewed' | 'browser' | 'check code';
  /** Who had scanned it, if anybody had. */
  readonly approver?: Approver;
}

/** One QR sign-in attempt, from shown to redeemed. Each state holds exactly the data that it has. */
export type Ticket = WaitingTicket | ScannedTicket | ApprovedTicket | DeniedTicket | RedeemedTicket | CancelledTicket;

/** `expired` is never stored: it is what a ticket is once its deadline has passed. */
export type TicketState = Ticket['state'] | 'expired';

/** A ticket's states that still lead somewhere; the others are ends. */
const LIVE: ReadonlySet<Ticket['state']> = new Set(['waiting', 'scanned', 'approved']);

export function stateAt(ticket: Pick<Ticket, 'state' | 'deadline'>, now: number): TicketState {
  return LIVE.has(ticket.state) && now >= ticket.deadline ? 'expired' : ticket.state;
}

export function isLive(ticket: Pick<Ticket, 'state' | 'deadline'>, now: number): boolean {
  return LIVE.has(ticket.state) && now < ticket.deadline;
}

/** The approver who scanned the ticket, as far as anybody did. */
export function ownerOf(ticket: Ticket): Approver | undefined {
  return ticket.state === 'waiting' ? undefined : ticket.approver;
}

export function isOwner(ticket: Ticket, { accountId, sessionUid }: Approver): boolean {
  const owner = ownerOf(ticket);
  return owner?.accountId === accountId && owner.sessionUid === sessionUid;
}

/** Whether the phone has said that somebody else started this: then its interaction is over. */
export function wasReported(ticket: Ticket): boolean {
  return ticket.state === 'denied' && ticket.because === 'report';
}
