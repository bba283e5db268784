import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Context } from 'koa';
import type { ErrorCode } from '../ticket/errors.ts';
import type { DeniedTicket, Place, SignInRequest, TicketState, Unmet } from '../ticket/ticket.ts';
import type { Assets } from './assets.ts';
import type { BrowserView } from './browser-view.ts';
import type { Locales, Translate } from './locales.ts';
import type { Challenge } from './proof.ts';

const FOLDER = fileURLToPath(new URL('../../views/pages', import.meta.url));

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
    readonly ticket: BrowserView;
    readonly urls: { readonly self: string; readonly renew: string; readonly finish: string; readonly cancel: string };
    readonly otherWays: readonly Link[];
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
  /** The phone's, for people who cannot scan. */
  scan: {
    readonly csrf: string;
    /** How many characters the field takes. */
    readonly longest: number;
    /** What was typed and leads nowhere. */
    readonly mistyped?: string | undefined;
  };
  /** The phone's: who asks, from where, for what. */
  confirm: PhoneView;
  /** The phone's, once it has decided. */
  done: PhoneView;
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

/** The pages: templates that escape by themselves, texts from the locale files. */
export class Views {
  readonly #eta = new Eta({ views: FOLDER, cache: true });
  readonly #assets: Assets;
  readonly #locales: Locales;
  readonly #names: { readonly provider: string; readonly site: string };

  /** @param names what people know the provider as, and its host */
  constructor(assets: Assets, locales: Locales, names: { readonly provider: string; readonly site: string }) {
    this.#assets = assets;
    this.#locales = locales;
    this.#names = names;
  }

  /** @param preferred the languages that the RP asked for, before those of the browser */
  render<Name extends keyof Pages>(
    ctx: Context,
    name: Name,
    page: Pages[Name],
    preferred: readonly string[] = [],
  ): void {
    const { language, translate } = this.#locales.choose(ctx, preferred);
    ctx.type = 'html';
    ctx.vary('Accept-Language');
    ctx.body = this.#eta.render(name, {
      ...page,
      language,
      t: (key, values) => translate(key, { ...this.#names, ...values }),
      asset: (asset) => this.#assets.url(asset),
    } satisfies Pages[Name] & PageTools);
  }
}

/** What every template has beside its own page's data. */
interface PageTools {
  readonly language: string;
  readonly t: Translate;
  readonly asset: (name: string) => string;
}
