import type { SessionClient } from '../../oidc/session-clients.ts';
import type { ErrorCode } from '../../ticket/errors.ts';
import type { DeniedTicket, Place, SignInRequest, TicketState, Unmet } from '../../ticket/ticket.ts';
import type { Challenge } from '../hooks/approve-guard.ts';
import type { DrawnView } from '../ticket-view/browser-view.ts';
import type { Language } from './language.ts';

/** A way to sign in without a phone, as the deployment offers it. */
export interface Link {
  readonly url: string;
  readonly label: string;
}

/** What each page is given. */
export interface Pages {
  /** The browser's: the code, and what becomes of it. */
  qr: {
    readonly request: SignInRequest;
    /** Whether this seems to be a phone: then what works on it comes first, and the code after that. */
    readonly isPhone: boolean;
    readonly ticket: DrawnView;
    readonly urls: { readonly self: string; readonly renew: string; readonly finish: string; readonly cancel: string };
    readonly otherWays: readonly Link[];
    /** How many seconds each state lasts from its beginning. */
    readonly lasts: { readonly scan: number; readonly decide: number; readonly finish: number };
    /** Whether the code's address is a link, too. */
    readonly showAddress: boolean;
    /** Where a phone types the short code, as people write it, where the deployment allows that. */
    readonly typeAt?: string | undefined;
    /** The app, for a browser whose time is up. */
    readonly home?: string | undefined;
    /** The account that is signed in here already. */
    readonly signedInAs?: string | undefined;
    /** What to ask for a passkey with, as JSON, where the deployment lets people sign in with one here. */
    readonly passkey?: string | undefined;
  };
  /** The browser's, where scopes are still to be granted. */
  consent: {
    readonly request: SignInRequest;
    readonly account: string;
    readonly scopes: readonly string[];
    readonly claims: readonly string[];
    readonly resources: Readonly<Record<string, readonly string[]>>;
    readonly details: readonly string[];
    readonly urls: { readonly grant: string; readonly cancel: string };
  };
  /** The browser's, where another account was signed in after all was agreed. */
  switch: {
    readonly client: string;
    readonly signedInAs: string;
    readonly urls: { readonly finish: string; readonly cancel: string };
  };
  /** The phone's, where the camera lands. */
  landing: {
    readonly csrf: string;
    /** Whether its script posts the scan at once. */
    readonly scansItself: boolean;
  };
  /** The phone's, which reads a code with its camera. */
  scan: {
    /** What every code's address begins with, and how many characters follow. */
    readonly codes: { readonly prefix: string; readonly length: number };
    /** What makes the page an app on the home screen. */
    readonly manifest: string;
    /** The form for the short code, where the deployment allows that. */
    readonly typing?: {
      readonly csrf: string;
      /** How many characters the field takes. */
      readonly longest: number;
      /** What was typed and leads nowhere. */
      readonly mistyped?: string | undefined;
    };
  };
  /** That app, as browsers ask for it: JSON (W3C Web Application Manifest). */
  manifest: {
    readonly start: string;
    /** All of the provider: signing in happens in the app, too. */
    readonly scope: string;
  };
  /** The phone's: who asks, from where, for what. */
  confirm: PhoneView;
  /** The phone's, once it has decided. */
  done: PhoneView;
  /** The phone's: the browsers that its account was signed in to. */
  devices: {
    readonly account: string;
    readonly csrf: string;
    readonly self: string;
    readonly browsers: readonly BrowserEntry[];
    /** What was done just before: how many were signed out, and whether an app of theirs could not be told. */
    readonly ended?: 'none' | 'one' | 'many';
    readonly unreached?: boolean;
  };
  error: {
    readonly code: ErrorCode;
    /** Seconds until the same may be done again. */
    readonly retryAfter?: number | undefined;
    /** The browser's own page, where it can still go on. */
    readonly back?: string | undefined;
    /** The app that it came from, where it cannot. */
    readonly home?: string | undefined;
    /** Where to try again, for what may work in a moment; here, unless it says otherwise. */
    readonly again?: string | undefined;
  };
}

/** A browser that is signed in, as its person sees it. */
export interface BrowserEntry {
  /** What signs it out. */
  readonly id: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** ISO 8601, and seconds since then. */
  readonly signedInAt: string;
  readonly signedInAgo: number;
  readonly lastUsedAt: string;
  readonly lastUsedAgo: number;
  /** Whether this very page is shown there. */
  readonly isHere: boolean;
  readonly clients: readonly SessionClient[];
}

/** The ticket as the phone sees it that scanned it. */
export interface PhoneView {
  readonly state: TicketState;
  /** Seconds until this state ends by itself. */
  readonly expiresIn: number;
  readonly client: SignInRequest['client'];
  readonly scopes: readonly string[];
  /** What else Approve grants, where the phone consents. */
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly browser: { readonly name?: string; readonly system?: string; readonly place?: Place };
  /** Seconds since the code was first shown. */
  readonly shownAgo: number;
  /** The account that will be used. */
  readonly account: string;
  readonly csrf: string;
  /** What the request demands and the phone does not meet, so that it may not approve. */
  readonly unmet?: Unmet;
  /** Where the phone may sign in (again, or with another account) to meet it. */
  readonly signInAgain?: string;
  /** What must be answered before Approve counts. */
  readonly challenge?: Challenge;
  /** Why it was denied. */
  readonly because?: DeniedTicket['because'];
  /** The six digits to type into the browser. */
  readonly checkCode?: string;
}

/** What every template has beside its own page's data. */
export interface PageTools {
  /** The language of the page (BCP 47), and which way it is written. */
  readonly language: string;
  readonly direction: Language['direction'];
  /** A text of the page's language: `it.t('confirm.title', { client: it.client.name })`. */
  readonly t: Language['t'];
  /** Seconds that have passed: "3 minutes ago". */
  readonly ago: Language['ago'];
  /** A browser by what it says of itself: "Firefox on Windows". */
  readonly nameOf: Language['nameOf'];
  /** A place: "Berlin, Germany"; '' for none. */
  readonly place: Language['place'];
  /** The URL of a file in `assets`, which browsers keep until it changes. */
  readonly asset: (name: string) => string;
  /** What people know the provider as. */
  readonly provider: string;
  /** The deployment's own style sheet, beside ours. */
  readonly theme: string | undefined;
}
