import type { SignInMethod } from '../../oidc/session/sign-in-method.ts';
import type { SessionClient } from '../../oidc/session-clients.ts';
import type { Duration } from '../../ticket/browsers/duration.ts';
import type { ErrorCode, ErrorReason } from '../../ticket/errors.ts';
import type { DeniedTicket, Place, SignInRequest, TicketState, UnmetRequirement } from '../../ticket/ticket.ts';
import type { Challenge } from '../hooks/approve-guard.ts';
import type { PendingEntry } from '../requests/pending-list.ts';
import type { DrawnView } from '../ticket-view/browser-view.ts';
import type { Language } from './language.ts';

/** A way to sign in without a phone, as the deployment offers it. */
export interface Link {
  readonly url: string;
  readonly label: string;
}

/** The data of each page. */
export interface Pages {
  /** A page of the browser: the code, and the state of the ticket. */
  qr: {
    readonly request: SignInRequest;
    /**
     * True if the browser seems to run on a phone. The ways that work on a phone then come first, and the code after
     * them.
     */
    readonly isPhone: boolean;
    readonly ticket: DrawnView;
    readonly urls: { readonly self: string; readonly renew: string; readonly finish: string; readonly cancel: string };
    readonly otherWays: readonly Link[];
    /** The time that each state lasts from its beginning, in seconds. */
    readonly lasts: { readonly scan: number; readonly decide: number; readonly finish: number };
    /** The time for which a code is accepted after the next one has replaced it, in seconds. */
    readonly codeGrace: number;
    /** True if the address in the code is shown as a link, too. */
    readonly showAddress: boolean;
    /** True if the page has a place for the number that the user taps on the phone. */
    readonly tapsNumber?: boolean | undefined;
    /** The address, without its scheme, of the page that takes the short code, if the deployment allows typing. */
    readonly typeAt?: string | undefined;
    /** The name of the deployment's app. The page asks users to scan with it. */
    readonly appName?: string | undefined;
    /** The URL of the picture in the middle of the code, if the deployment has one. */
    readonly codeMark?: string | undefined;
    /** The URL that opens the code in the deployment's app, on a phone that shows this page itself. */
    readonly appUrl?: string | undefined;
    /** The account that is signed in to this browser already. */
    readonly signedInAs?: string | undefined;
    /** True if some accounts may be used in enrolled browsers only. The script then shows how to enrol this browser. */
    readonly enrolment?: boolean;
    /** The challenge for the key of this browser, if the browser can ask the phone to be enrolled. */
    readonly enrolByPhone?: string | undefined;
    /** The options to ask for a passkey, as JSON, if the deployment allows a sign-in with one here. */
    readonly passkey?: string | undefined;
    /** True if this browser has added a passkey of its own. The passkey then comes first, and the code after it. */
    readonly hasPasskey?: boolean;
  };
  /** A page of the browser: offers it a passkey of its own, which the phone approves. */
  offer: {
    readonly account: string;
    /** The client that waits for the end of the sign-in. */
    readonly client: SignInRequest['client'];
    /** The URL of the form: it asks the phone, adds the passkey in `credential`, or with `skip` goes on without one. */
    readonly url: string;
    /** `approved`: the phone has agreed. `refused`: it has not, or not in time. */
    readonly state: 'offered' | 'approved' | 'refused';
    /** The options of `navigator.credentials.create()` as JSON, once the phone has approved. */
    readonly options?: string;
  };
  /** A page of the browser: shows the code of an action, and the state of its ticket. */
  action: {
    readonly client: SignInRequest['client'];
    /** The line that says what is approved. The details are only shown on the phone. */
    readonly title: string;
    readonly state: TicketState;
    /** The code and the state; absent before a browser has opened the action, and once it has ended. */
    readonly ticket?: DrawnView;
    /** True if the page's script opens the action at once, as long as no browser has opened it. */
    readonly opensItself: boolean;
    /** True if the browser seems to run on a phone, whose user can decide here. */
    readonly isPhone: boolean;
    /** The URL to which the user continues at the end, if the requester has named one. */
    readonly goOn?: string;
    readonly urls: { readonly self: string; readonly renew: string; readonly finish: string; readonly cancel: string };
    /** The time that each state lasts from its beginning, in seconds. */
    readonly lasts: { readonly scan: number; readonly decide: number; readonly finish: number };
    /** The time for which a code is accepted after the next one has replaced it, in seconds. */
    readonly codeGrace: number;
    /** True if the address in the code is shown as a link. */
    readonly showAddress?: boolean;
    readonly typeAt?: string | undefined;
    readonly appName?: string | undefined;
    readonly codeMark?: string | undefined;
  };
  /** A page of the browser: asks the user to grant what the client wants. */
  consent: {
    readonly request: SignInRequest;
    readonly account: string;
    readonly scopes: readonly string[];
    readonly claims: readonly string[];
    readonly resources: Readonly<Record<string, readonly string[]>>;
    readonly details: readonly string[];
    /** The URL of the client's logo, if the deployment has one. */
    readonly logo?: string | undefined;
    readonly urls: { readonly grant: string; readonly cancel: string };
  };
  /** A page of the browser: another account was signed in there after the phone had approved. */
  switch: {
    readonly client: string;
    readonly signedInAs: string;
    readonly urls: { readonly finish: string; readonly cancel: string };
  };
  /** A page of the phone: the address in the code leads here. */
  landing: {
    /** The token of the form; absent if the phone is not signed in, which only happens with `openInApp`. */
    readonly csrf?: string | undefined;
    /** True if its script posts the scan at once. */
    readonly scansItself: boolean;
    /** The address that opens the code in the deployment's app, if the app has a scheme of its own. */
    readonly openInApp?: string | undefined;
    /** The URL for a phone that is not signed in, to sign in and continue in the browser instead of the app. */
    readonly signIn?: string | undefined;
  };
  /** A page of the phone: the address in a notification leads here. */
  request: {
    readonly csrf: string;
    /** True if its script opens the request at once. */
    readonly opensItself: boolean;
  };
  /** A page of the phone: reads a code with the camera. */
  scan: {
    /** The beginning of the address in every code, and the number of characters that follow. */
    readonly codes: { readonly prefix: string; readonly length: number };
    /** The URL of the manifest, with which the page can become an app on the home screen. */
    readonly manifest: string;
    /** The app in whose own browser the page is shown, and the address that opens the system's browser, if any. */
    readonly inApp?: { readonly name: string; readonly openUrl: string | undefined } | undefined;
    /** True if another app has shared something that is no code of this provider. */
    readonly isShareForeign?: boolean;
    /** The form for the short code, if the deployment allows typing. */
    readonly typing?: {
      readonly csrf: string;
      /** The most characters that the field takes. */
      readonly longest: number;
      /** The text that was typed and is no valid short code. */
      readonly mistyped?: string | undefined;
    };
  };
  /** The manifest with which the scan page becomes an app on the home screen: JSON (W3C Web Application Manifest). */
  manifest: {
    readonly start: string;
    /** Includes the whole provider, because the phone signs in inside the app, too. */
    readonly scope: string;
    /** The parameters with which other apps share a text with the page. */
    readonly share: { readonly title: string; readonly text: string; readonly url: string };
  };
  /** A page of the phone: shows which client asks, from where and for what, and asks for the decision. */
  confirm: PhoneView;
  /** A page of the phone: the state after the decision. */
  done: PhoneView;
  /** A page of the phone: the browsers that its account is signed in to, and those that it trusts. */
  devices: {
    readonly account: string;
    readonly csrf: string;
    readonly self: string;
    readonly browsers: readonly BrowserEntry[];
    readonly known: readonly KnownBrowserEntry[];
    /** The requests that wait for the account, the oldest first. */
    readonly requests: readonly RequestEntry[];
    /** The passkeys that browsers have added; absent if browsers get none. */
    readonly passkeys?: readonly BrowserPasskeyEntry[];
    /** The result of the previous request: the number of browsers that were signed out. */
    readonly ended?: 'none' | 'one' | 'many';
    /** True if a client that knew of the session of such a browser could not be notified. */
    readonly unreached?: boolean;
    /** The durations to choose from for a browser that is signed in, if the deployment offers several. */
    readonly durations?: readonly Duration[] | undefined;
    /**
     * Present if some accounts may be used in enrolled browsers only: the challenge for the key of this browser, or the
     * URL where its user signs in before that.
     */
    readonly enrol?: { readonly nonce?: string; readonly signIn?: string | undefined } | undefined;
    /** The deployment's page where users review their passkeys, if there is one. */
    readonly passkeysUrl?: string | undefined;
    /** The URL of the page that scans another code. */
    readonly scan: string;
  };
  error: {
    readonly code: ErrorCode;
    /** The cause, if the code has several and the reader may know it. */
    readonly reason?: ErrorReason | undefined;
    /** Seconds until the same request is allowed again. */
    readonly retryAfter?: number | undefined;
    /** The URL of the browser's page, if the user can still continue there. */
    readonly back?: string | undefined;
    /** The URL of the client from which the browser came, if the user cannot continue here. */
    readonly home?: string | undefined;
    /** The URL to try again after an error that may pass; by default the same page. */
    readonly again?: string | undefined;
    /** The URL of the page that scans another code, if the request came from a page of the phone. */
    readonly scan?: string | undefined;
    /** The error that oidc-provider found, in the terms of OAuth, for the developers of the client (RFC 6749). */
    readonly details?: { readonly error: string; readonly description?: string | undefined } | undefined;
    /** A mistake in the setup of the plugin, and what to do about it, in English. Never set in production. */
    readonly setup?: string | undefined;
  };
}

/** A request that waits for the account, as its user sees it in the list. */
export interface RequestEntry extends PendingEntry {
  /** The URL of the form that opens it, with `csrf`. */
  readonly url: string;
  readonly csrf: string;
}

/** A browser that is signed in, as its user sees it in the list. */
export interface BrowserEntry {
  /** The identifier to post in order to sign the browser out. */
  readonly id: string;
  /** The name that its user has given it. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** The time in ISO 8601. The fields that end with `Ago` are seconds since then. */
  readonly signedInAt: string;
  readonly signedInAgo: number;
  readonly lastUsedAt: string;
  readonly lastUsedAgo: number;
  /** The way in which its user was signed in. */
  readonly signedInBy: SignInMethod;
  /** The time that the user has chosen to stay signed in, if there was a choice. */
  readonly duration?: Duration;
  /** Seconds until the session ends if it is not used again. */
  readonly endsIn: number;
  /** True if this page is shown in that browser. */
  readonly isHere: boolean;
  readonly clients: readonly SessionClient[];
}

/** A browser that the account trusts, as its user sees it in the list. */
export interface KnownBrowserEntry {
  /** The identifier to post in order to end the trust. */
  readonly id: string;
  /** The name that its user has given it. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** The time in ISO 8601. The fields that end with `Ago` are seconds since then. */
  readonly trustedAt: string;
  readonly trustedAgo: number;
  readonly lastUsedAt: string;
  readonly lastUsedAgo: number;
  /** True if it is enrolled: for some accounts, only such a browser can be approved. */
  readonly enrolled?: true;
  /** True if this page is shown in that browser. */
  readonly isHere: boolean;
}

/** The ticket as the phone that scanned it sees it. */
export interface PhoneView {
  readonly state: TicketState;
  /** Grows with each change. */
  readonly version: number;
  /** The URL at which the page follows the ticket, with `?after=<version>`; absent once the ticket has ended. */
  readonly follow?: string;
  /** Seconds until this state ends by itself. */
  readonly expiresIn: number;
  readonly client: SignInRequest['client'];
  /** The texts of the action that is asked for; absent for a sign-in. */
  readonly action?: { readonly title: string; readonly details: string };
  /** True if the browser can ask the phone to enrol it. */
  readonly canEnrol?: true;
  /** Present if a client asks without a browser: the message that the client shows as well, if it has sent one. */
  readonly backchannel?: { readonly message?: string };
  /** The page of the action, to which this same browser returns once the user has decided. */
  readonly goOn?: string;
  /** The URL of the client's logo, if the deployment has one. */
  readonly logo?: string;
  readonly scopes: readonly string[];
  /** True if Approve also grants what is listed. */
  readonly grants: boolean;
  /** The claims that Approve grants besides the scopes, if the phone gives consent. */
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly browser: { readonly name?: string; readonly system?: string; readonly place?: Place };
  /** Seconds since the code was first shown. */
  readonly shownAgo: number;
  /** The name of the account that will be signed in. */
  readonly account: string;
  readonly csrf: string;
  /** The pages to which the user can continue: the list of browsers, and the camera. */
  readonly urls: { readonly devices: string; readonly scan: string };
  /** The demand of the request that the phone does not meet, so that it may not approve. */
  readonly unmet?: UnmetRequirement;
  /** The URL where the phone can sign in again, or with another account, to meet the demand. */
  readonly signInAgain?: string;
  /** The challenge that must be answered before Approve counts. */
  readonly challenge?: Challenge;
  /** The durations from which the user chooses before Approve. The first one is preselected. */
  readonly durations?: readonly Duration[];
  /** The reason for the denial. */
  readonly because?: DeniedTicket['because'];
  /** True if the browser had been signed in when the user reported, and is signed out now. */
  readonly hadFinished?: boolean;
  /** The three numbers in place of Approve, of which the user taps the one that the browser shows. */
  readonly numbers?: readonly string[];
  /** The six digits to type into the browser. */
  readonly checkCode?: string;
  /**
   * Present once the browser is signed in: the form that names it, with `csrf`, `ticket` and `name`, goes to this URL.
   */
  readonly naming?: { readonly url: string; readonly csrf: string; readonly ticket: string };
}

/** A passkey that a browser has added with the phone's approval. */
export interface BrowserPasskeyEntry {
  readonly id: string;
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  readonly addedAt: string;
  /** Seconds. */
  readonly addedAgo: number;
}

/** A style that is in the HTML of a page. The policy of the pages allows exactly this text. */
export interface PageStyle {
  readonly css: string;
  /** The URLs of style sheets that the page has to load after it. */
  readonly sheets: readonly string[];
}

/** The tools that every template has besides the data of its page. */
export interface PageTools {
  /** The language of the page (BCP 47), and its writing direction. */
  readonly language: string;
  readonly direction: Language['direction'];
  /** Returns a text in the language of the page: `it.t('confirm.title', { client: it.client.name })`. */
  readonly t: Language['t'];
  /** Returns elapsed seconds as text: "3 minutes ago". */
  readonly ago: Language['ago'];
  /** Returns the time that is left as text: "in 3 days". */
  readonly until: Language['until'];
  /** Returns a duration as text: "8 hours", "until the browser is closed". */
  readonly lasting: Language['lasting'];
  /** Returns the name of a browser: the one that its user gave it, or what it claims to be, "Firefox on Windows". */
  readonly nameOf: Language['nameOf'];
  /** Returns the name of a place: "Berlin, Germany"; '' if nothing is known. */
  readonly place: Language['place'];
  /** Returns the initials of a name, for a picture of it: "AL". */
  readonly initials: (name: string) => string;
  /** Returns the URL of a file in `assets`. Browsers cache it until the file changes. */
  readonly asset: (name: string) => string;
  /** The name by which users know the provider. */
  readonly provider: string;
  /** The first character of that name as a capital, for a picture of it. */
  readonly initial: string;
  /** The URL of the deployment's style sheet, which is loaded after the built-in one. */
  readonly theme: string | undefined;
  /** The style of the QR page, for the layout. */
  readonly qrStyle: PageStyle;
}
