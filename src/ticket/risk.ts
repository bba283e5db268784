import type { Approver, KnownBy, Place, SignInRequest, Ticket } from './ticket.ts';

/** The known data about a device. */
export interface Device {
  /** Its network address; absent if no trustworthy one is known. */
  readonly address?: string;
  /** The location of that address; absent unless the deployment's `locate` returns one. */
  readonly place?: Place;
  /** The User-Agent header that it sends, at most 512 characters. */
  readonly userAgent?: string;
}

/** The data that an assessment is based on, when a phone scans and again when it approves. */
export interface RiskContext {
  readonly accountId: string;
  /** The client that asks, what it asks for, and its requirements for the approver. */
  readonly request: SignInRequest;
  readonly browser: Device & {
    readonly name?: string;
    readonly system?: string;
    /**
     * True if this account trusts this browser now: its user signed in there by QR, and chose to stay signed in.
     */
    readonly known: boolean;
    /**
     * The evidence by which the account knows the browser; absent if it does not know it. `cookie` is its cookie alone,
     * which can be copied. `key` is a key that cannot be copied: the browser has to use the key when it finishes;
     * otherwise its user has to type the check code.
     */
    readonly boundTo?: KnownBy;
  };
  readonly phone: Device;
  /** The approver's sign-in on the phone. */
  readonly approver: ApproverSignIn;
}

/** The sign-in of an approver on the phone. */
export interface ApproverSignIn {
  /** The class and methods as your `assurance` returned them, with the methods that your `guard` has verified. */
  readonly amr?: readonly string[];
  readonly acr?: string;
  /** The time of the authentication, in seconds since the epoch. */
  readonly authTime: number;
  /** True if the phone was itself signed in by QR. */
  readonly byQr: boolean;
  /** The kind of client: the provider's pages with their session, or an app with an access token. */
  readonly client: 'page' | 'app';
  /** The app's `client_id`; absent for a page. */
  readonly clientId?: string;
}

/**
 * The result of an assessment: a tap is enough, the user must type the phone's check code at the browser, or the
 * sign-in is refused. A request without a browser (`request.backchannel`) is refused by `check code`, too.
 */
export type Verdict = 'allow' | 'check code' | 'deny';

/** Assesses a sign-in; implemented by the deployment. */
export type Assess = (context: RiskContext) => Verdict | Promise<Verdict>;

/**
 * Judges a sign-in. It is called only after the ticket is known to belong to this approver.
 * @param knownBy the evidence by which the approver's account knows the browser now, if it does
 */
export type Judge = (ticket: Ticket, approver: Approver, knownBy: KnownBy | undefined) => Verdict | Promise<Verdict>;

/**
 * Requires the check code, unless the browser is known to this account. A shared network address does not count: a
 * stranger in the same network could scan the code first, and sign the browser in to the stranger's account. A request
 * without a browser has no screen for the check code, so a tap is enough. Your own assessment may use the address.
 */
export function assessByDefault({ request, browser }: RiskContext): Verdict {
  return browser.known || request.backchannel !== undefined ? 'allow' : 'check code';
}

export function riskContext(
  ticket: Ticket,
  approver: Approver,
  phone: Device,
  knownBy: KnownBy | undefined,
): RiskContext {
  const { binding: _binding, source: _source, knownAs: _knownAs, lastAccount: _last, ...browser } = ticket.browser;
  return {
    accountId: approver.accountId,
    request: ticket.request,
    browser: { ...browser, known: knownBy !== undefined, ...(knownBy !== undefined && { boundTo: knownBy }) },
    phone,
    approver: signInOf(approver),
  };
}

function signInOf({ acr, amr, authenticatedAt, byQr, grant }: Approver): ApproverSignIn {
  return {
    ...(amr !== undefined && { amr }),
    ...(acr !== undefined && { acr }),
    authTime: authenticatedAt,
    byQr: byQr === true,
    ...(grant === undefined ? { client: 'page' } : { client: 'app', clientId: grant.clientId }),
  };
}
