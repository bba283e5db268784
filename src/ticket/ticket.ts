import type { BrowserKey } from './browsers/browser-key.ts';
import type { Duration } from './browsers/duration.ts';
import type { FormattedRecord } from './record-format.ts';

/** A user who has authenticated. */
export interface AuthenticatedUser {
  readonly accountId: string;
  /**
   * The time of the user's last authentication, in seconds since the epoch: the `auth_time` of OIDC Core, section 2.
   */
  readonly authenticatedAt: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Present if the user authenticated for this ticket: with a sign-in after the ticket was made. */
  readonly forTicket?: true;
  /**
   * The account's `sub` at this client, present if the request demands a certain one. Each client with pairwise
   * subjects knows the account by a different `sub`.
   */
  readonly subject?: string;
}

interface AuthenticatedOnPhone extends AuthenticatedUser {
  /** Present if the phone was itself signed in by QR: its user has not authenticated on this device. */
  readonly byQr?: true;
}

/** An account that decides on the provider's own pages, with its session there. */
export interface SessionApprover extends AuthenticatedOnPhone {
  /** The `uid` of the phone's session at the provider. */
  readonly sessionUid: string;
  /**
   * Identifies the sign-in, which its time cannot do: two sign-ins within a second have the same time. Absent if the
   * deployment signs users in without an interaction of the provider.
   */
  readonly signInId?: string;
  readonly grant?: undefined;
}

/** The access of an app to an account, which the account's user has granted (RFC 6749). */
export interface AppGrant {
  /** The id of the app: its `client_id`. */
  readonly clientId: string;
  /** The id of oidc-provider's grant. A later sign-in on the same device may have another one. */
  readonly grantId: string;
  /** The thumbprint (RFC 7638) of the key that the app's tokens are bound to. It identifies the device. */
  readonly keyId: string;
  /** The `uid` of the session that the grant ends with; absent if the grant outlives it (`offline_access`). */
  readonly boundTo?: string;
}

/** An account that decides in an app, with the grant of that app. */
export interface GrantApprover extends AuthenticatedOnPhone {
  readonly grant: AppGrant;
  readonly sessionUid?: undefined;
}

/** The account that decides on the phone: with its session on a page, or with a grant in an app. */
export type Approver = SessionApprover | GrantApprover;

/** The part of an approver that can end before its approval is used: the account, and its session or grant. */
export type ApproverStanding =
  | Pick<SessionApprover, 'accountId' | 'sessionUid' | 'grant'>
  | Pick<GrantApprover, 'accountId' | 'sessionUid' | 'grant'>;

/**
 * A requirement that the approver does not meet. `local`: the approver was itself signed in by QR, and has to sign in
 * on this device first. `enrolled`: the account is used only in browsers that it has enrolled, and this browser is not.
 */
export type UnmetRequirement = 'account' | 'local' | 'freshness' | 'acr' | 'enrolled';

/** The requirements that this authorization request makes of the approver. */
export interface Requirements {
  /** The user must authenticate for this request (`prompt=login`). An earlier sign-in does not count. */
  readonly reauthenticate?: true;
  /**
   * The user must have authenticated within this many seconds, or for this request (`max_age`). It is checked at
   * Approve, at finish, and when the browser resumes the request.
   */
  readonly maxAge?: number;
  /** Present if the deployment lets an approver decide who was itself signed in by QR. */
  readonly allowsQrApprover?: true;
  /** The only subject that may approve, as the client knows it (`id_token_hint`, a `sub` claim with a value). */
  readonly subject?: string;
  /**
   * The only account that may approve. Present for an action and for a request without a browser, which name the
   * account. To another account, the ticket looks unknown.
   */
  readonly accountId?: string;
  /** The authentication must be of one of these classes (an essential `acr` claim). */
  readonly essentialAcr?: readonly string[];
  /** The classes that the client prefers (`acr_values`, a voluntary `acr` claim), the preferred one first. */
  readonly acrValues?: readonly string[];
}

/**
 * The consent that Approve grants to the client, if the deployment lets the phone consent: exactly what the phone was
 * shown.
 */
export interface Consent {
  /**
   * True if the phone lists what is granted. The requests of the deployment's own clients are granted without being
   * listed.
   */
  readonly listed?: boolean;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** The scopes of each resource (RFC 8707). */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/**
 * Something other than a sign-in that an approval allows, such as a payment or a new mail address. The phone shows
 * exactly its two texts.
 */
export interface Action {
  /** One line that says what is approved. */
  readonly title: string;
  /** The details, in one or several lines; '' if the title says everything. */
  readonly details: string;
  /** A value of the requester's that is not shown, and that the result repeats. */
  readonly reference?: string;
  /** The recipient of the signed result (RFC 7519, section 4.1.3). Default: the client, or the provider itself. */
  readonly audience?: string;
  /** The URL to which the browser goes back at the end; absent if it stays on its page. */
  readonly returnTo?: string;
  /**
   * Present if the approval enrols the browser that shows the action: the browser's key, whose thumbprint (RFC 7638)
   * the phone shows. It is fixed here, so that it is the key that the user approves.
   */
  readonly enrols?: BrowserKey;
  /**
   * The time until which the action can be decided and confirmed, in milliseconds since the epoch. Its ticket is kept
   * longer, so that the result can be read.
   */
  readonly expiresAt: number;
}

/**
 * A request that a client sends to the provider directly, without a browser (CIBA Core 1.0, section 7.1). The phones of
 * the account find it in their list. Approve grants the client the consent of the request.
 */
export interface BackchannelRequest {
  /**
   * The `auth_req_id`, with which the client gets its tokens (CIBA Core 1.0, section 7.3). It is sealed, so that a copy
   * of the store does not hold it.
   */
  readonly sealedId: string;
  /** The `binding_message`: the client shows it as well, so that the user recognises the request. */
  readonly message?: string;
  /** The time until which the request can be decided, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The request that the ticket was made for, fixed when the ticket is made. The phone shows exactly this. */
export interface SignInRequest {
  /** Present if the ticket approves an action and no sign-in. It asks for no scopes and no consent then. */
  readonly action?: Action;
  /** Present if the client asks without a browser. */
  readonly backchannel?: BackchannelRequest;
  readonly client: {
    /** The `client_id`; '' if the provider itself asks for an action. */
    readonly id: string;
    readonly name: string;
    /**
     * The destination of the response, verified by the provider: the redirect URI's host, or its scheme for a native
     * app.
     */
    readonly host?: string;
    /** The address of its logo (`logo_uri`), if that is https. The client has chosen it, so it proves nothing. */
    readonly logoUri?: string;
  };
  readonly scopes: readonly string[];
  /** The RP's hint about the expected user (`login_hint`). It is shown, never trusted. */
  readonly loginHint?: string;
  /** The languages that the RP asks for, the preferred one first (`ui_locales`). */
  readonly locales: readonly string[];
  readonly requirements: Requirements;
  /** Absent if the browser shows the consent page, as without this plugin. */
  readonly consent?: Consent;
}

/** The evidence by which an account knows a browser: a key that cannot leave the browser, or its cookie alone. */
export type KnownBy = 'key' | 'cookie';

/** The approximate location of a network address. */
export interface Place {
  /** The two-letter country code (ISO 3166-1), shown as the country's name in the language of the page. */
  readonly country?: string;
  /** The city's name, shown as it is. */
  readonly city?: string;
}

/** The known data about the browser that shows the code, fixed when the ticket is made. */
export interface Browser {
  /**
   * SHA-256 of the secret in its binding cookie: only this browser may watch and finish. '' for an action that no
   * browser shows yet, and for a request without a browser.
   */
  readonly binding: string;
  /** The network address that its requests come from, which a client cannot forge. It may be only a proxy's. */
  readonly source: string;
  /** Its own network address; absent if no trustworthy one is known. */
  readonly address?: string;
  /** The location of that address, as the deployment's `locate` returned it. */
  readonly place?: Place;
  /** The User-Agent header that it sends. */
  readonly userAgent?: string;
  /** The browser's name and system, parsed from the User-Agent header. */
  readonly name?: string;
  readonly system?: string;
  /** The fingerprint of the secret in its memory cookie: the id under which accounts may know this browser. */
  readonly knownAs?: string;
  /** The mark of the account that was last signed in to it by QR, from that cookie. */
  readonly lastAccount?: string;
}

/** The phone that scanned, by the user agent that it sent then. It proves nothing, and says nothing of the account. */
export interface PhoneDevice {
  readonly name?: string;
  readonly system?: string;
}

interface TicketFields extends FormattedRecord {
  readonly id: string;
  /** Goes up by one with each change, and continues from one ticket of an interaction to the next. */
  readonly version: number;
  /** The `uid` of the oidc-provider interaction that this ticket resolves. */
  readonly interaction: string;
  readonly request: SignInRequest;
  readonly browser: Browser;
  /** The time at which the code was first shown, in milliseconds since the epoch. */
  readonly shownAt: number;
  /** The time at which this state was entered, in milliseconds since the epoch. */
  readonly since: number;
  /**
   * The time at which this state expires, in milliseconds since the epoch. It is set on entering the state. Only the
   * deadline of a waiting ticket is moved, once: see {@link WaitingTicket.signingIn}.
   */
  readonly deadline: number;
  /** The end of the interaction, in milliseconds since the epoch. No deadline is later. */
  readonly endsAt: number;
  /** The phone, once it has scanned; absent if nothing is known of it by its user agent. */
  readonly phone?: PhoneDevice;
}

export interface WaitingTicket extends TicketFields {
  readonly state: 'waiting';
  /** Present once a phone without a session has opened the code. Its user signs in first, and has longer for that. */
  readonly signingIn?: true;
}

export interface ScannedTicket extends TicketFields {
  readonly state: 'scanned';
  readonly approver: Approver;
  /** Present if the ticket was claimed by its short code, which does not show that the phone was near the screen. */
  readonly typed?: true;
  /** Present if the approver must tap the number that the browser shows, in place of the check code. */
  readonly match?: true;
}

export interface ApprovedTicket extends TicketFields {
  readonly state: 'approved';
  readonly approver: Approver;
  /** Present if the user must type the check code at the browser first. */
  readonly checkCode?: {
    readonly wrongTries: number;
    /** Present if it was demanded only at finish. */
    readonly atFinish?: true;
  };
  /**
   * Present if another account was last signed in to the browser by QR, so that the browser asks its user before the
   * account changes.
   */
  readonly changesAccount?: true;
  /** Present if the account trusted the browser at Approve, and no check code was demanded then. */
  readonly knownBy?: KnownBy;
  /** Present if the account may be used in enrolled browsers only: the key of the browser that showed the code. */
  readonly enrolledKey?: BrowserKey;
  /** True if the user wants to stay signed in when the browser is closed. */
  readonly remember: boolean;
  /** The time that the user has chosen, if the deployment offers several. */
  readonly duration?: Duration;
}

export interface DeniedTicket extends TicketFields {
  readonly state: 'denied';
  readonly approver: Approver;
  /**
   * The reason: the user denied (`person`) or reported that they did not start the sign-in (`report`), the deployment's
   * assessment denied (`risk`), the account has reported the browser's network address before (`blocked`), or the phone
   * cannot meet a requirement.
   */
  readonly because: 'person' | 'report' | 'risk' | 'blocked' | UnmetRequirement;
}

export interface RedeemedTicket extends TicketFields {
  readonly state: 'redeemed';
  readonly approver: Approver;
  readonly remember: boolean;
  readonly duration?: Duration;
  readonly enrolledKey?: BrowserKey;
  /** The time at which the phone approved, in milliseconds since the epoch. */
  readonly approvedAt: number;
  /** The grant that the client of a request without a browser got, so that a report ends it. */
  readonly grantId?: string;
}

export interface CancelledTicket extends TicketFields {
  readonly state: 'cancelled';
  /** `requester`: the server or the client that asked for an action has taken it back. */
  readonly because: 'renewed' | 'browser' | 'requester' | 'check code';
  /** The approver, if the ticket was scanned. */
  readonly approver?: Approver;
}

/** One QR sign-in attempt, from shown to redeemed. Each state has exactly the data that belongs to it. */
export type Ticket = WaitingTicket | ScannedTicket | ApprovedTicket | DeniedTicket | RedeemedTicket | CancelledTicket;

/**
 * The state of a ticket at a moment. `expired` is never stored: a live ticket is expired once its deadline has passed.
 */
export type TicketState = Ticket['state'] | 'expired';

/** The states that another state can follow. The other states are final. */
const LIVE: ReadonlySet<Ticket['state']> = new Set(['waiting', 'scanned', 'approved']);

export function stateAt(ticket: Pick<Ticket, 'state' | 'deadline'>, now: number): TicketState {
  return LIVE.has(ticket.state) && now >= ticket.deadline ? 'expired' : ticket.state;
}

export function isLive(ticket: Pick<Ticket, 'state' | 'deadline'>, now: number): boolean {
  return LIVE.has(ticket.state) && now < ticket.deadline;
}

/** Returns the approver who scanned the ticket, or undefined if it was not scanned. */
export function ownerOf(ticket: Ticket): Approver | undefined {
  return ticket.state === 'waiting' ? undefined : ticket.approver;
}

/**
 * Returns a text that identifies the device of an approver: its session, or its app and key. It uses the key and not
 * the grant, because an app that signs in again for a ticket may get another grant.
 */
export function deviceOf({ sessionUid, grant }: ApproverStanding): string {
  // A session's uid contains no bracket.
  return grant === undefined ? sessionUid : JSON.stringify([grant.clientId, grant.keyId]);
}

export function isOwner(ticket: Ticket, approver: Approver): boolean {
  const owner = ownerOf(ticket);
  return owner?.accountId === approver.accountId && deviceOf(owner) === deviceOf(approver);
}

/** Returns true if the ticket signs a browser in. Other tickets approve an action, or a request without a browser. */
export function isSignIn({ action, backchannel }: SignInRequest): boolean {
  return action === undefined && backchannel === undefined;
}

/** Returns the time by which a request must be over, in milliseconds since the epoch; undefined for a sign-in. */
export function requestEnd({ action, backchannel }: SignInRequest): number | undefined {
  return action?.expiresAt ?? backchannel?.expiresAt;
}

/**
 * Returns the time until which a store keeps a ticket, in milliseconds since the epoch. This is its deadline for a
 * sign-in, and a later time for another request, so that its result can be read and reported.
 */
export function keptUntil({ request, deadline, endsAt }: Pick<Ticket, 'request' | 'deadline' | 'endsAt'>): number {
  return isSignIn(request) ? deadline : endsAt;
}

/** Returns true if a browser shows the ticket. An action waits for the browser that opens its page. */
export function hasBrowser({ browser }: Pick<Ticket, 'browser'>): boolean {
  return browser.binding !== '';
}

/** Returns true if the approval enrols the browser that shows the ticket. */
export function isEnrolment({ request }: Pick<Ticket, 'request'>): boolean {
  return request.action?.enrols !== undefined;
}

/** Returns true if the phone has reported that its user did not start the sign-in. The interaction is over then. */
export function wasReported(ticket: Ticket): boolean {
  return ticket.state === 'denied' && ticket.because === 'report';
}
