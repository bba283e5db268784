import { ApiClient, type PhoneOptions, type RequestOptions } from './api-client.ts';
import { normalizeUrl, readCode } from './code-text.ts';
import { pathOf, Ticket } from './ticket.ts';
import type { Place, TicketClient } from './ticket-view.ts';

/** A browser that the account is signed in to. */
export interface BrowserEntry {
  readonly id: string;
  /** The name that its user has given it on the provider's pages. */
  readonly label?: string;
  readonly name?: string;
  readonly system?: string;
  /** The place of the sign-in. */
  readonly place?: Place;
  /** Seconds since the sign-in, and since the browser was last used with an app. */
  readonly signedInAgo: number;
  readonly lastUsedAgo: number;
  /** The way in which the user was signed in there; `other` if the provider does not know. */
  readonly signedInBy: 'qr' | 'passkey' | 'password' | 'other';
  /** The time that the user has chosen to stay signed in, if there was a choice. */
  readonly duration?: string;
  /** Seconds until the session ends if it is not used again. */
  readonly endsIn: number;
  /** True for the session in which the user signed in to this app. */
  readonly isHere: boolean;
  /** The apps that the browser is signed in to, each with the hosts of its sites. */
  readonly clients: readonly { readonly id: string; readonly name: string; readonly hosts: readonly string[] }[];
}

/** A request that a client has sent without a browser (OpenID Connect CIBA Core). */
export interface RequestEntry {
  readonly id: string;
  readonly client: TicketClient;
  /** Seconds since the client has asked. */
  readonly askedAgo: number;
  /** Seconds until the request ends. */
  readonly expiresIn: number;
}

/** An entry that can sign its browser out. */
export interface SignedInBrowser extends BrowserEntry {
  /**
   * Signs the browser out: its session, its grants and, by back-channel logout, its apps.
   * @throws PhoneError `not_found` if it is not signed in any more: there is nothing to do
   */
  signOut(options?: RequestOptions): Promise<void>;

  /**
   * Changes how long the user stays signed in there, from now on.
   * @param duration one of the `durations` of a ticket
   * @throws PhoneError `not_found` if it is not signed in any more
   */
  stay(duration: string, options?: RequestOptions): Promise<void>;
}

/**
 * The phone of a QR sign-in, in an app: scans the code that a browser shows, shows what is asked, and decides. Every
 * method throws {@link PhoneError} if the provider refuses or cannot be reached.
 */
export class Phone {
  readonly #issuer: string;
  readonly #api: ApiClient;

  /** @throws TypeError if the issuer is no http or https URL */
  constructor(options: PhoneOptions) {
    const issuer = normalizeUrl(options.issuer);
    if (!issuer) throw new TypeError(`no issuer: ${options.issuer}`);
    this.#issuer = issuer;
    this.#api = new ApiClient(options, `${issuer}/qr/api`);
  }

  /**
   * Claims the sign-in of a code.
   * @param text the text of the QR code, the address that opened the app, or the code alone
   * @throws PhoneError before any request: `foreign_code` for a code of another provider, `not_a_code` for other text
   */
  async scan(text: string, options?: RequestOptions): Promise<Ticket> {
    const { code, returnTo } = readCode(text, this.#issuer);
    return this.#claim('/scans', { code, actions: true }, options, returnTo);
  }

  /** Claims the sign-in of a short code, which the user types: eight characters, in any case, with any separators. */
  scanShortCode(shortCode: string, options?: RequestOptions): Promise<Ticket> {
    return this.#claim('/scans', { shortCode, actions: true }, options);
  }

  /**
   * Returns a ticket that this app has scanned before: after a restart of the app, or after the user has signed in
   * again.
   */
  async ticket(id: string, options?: RequestOptions): Promise<Ticket> {
    return new Ticket(this.#api, await this.#api.send('GET', pathOf(id), options));
  }

  /** Returns the browsers that the account is signed in to, the most recently used first. */
  async browsers(options?: RequestOptions): Promise<SignedInBrowser[]> {
    const { browsers } = await this.#api.send<{ browsers: BrowserEntry[] }>('GET', '/browsers', options);
    return browsers.map((entry) => {
      const path = pathOf(entry.id, '/browsers');
      return {
        ...entry,
        signOut: (options) => this.#api.send('DELETE', path, options),
        stay: (duration, options) => this.#api.send('POST', path, { ...options, body: { duration } }),
      };
    });
  }

  /** Signs out all other browsers of the account, and ends the account's trust in all browsers. */
  signOutBrowsers(options?: RequestOptions): Promise<void> {
    return this.#api.send('DELETE', '/browsers', options);
  }

  /** Returns the requests that clients have sent without a browser and that wait for the user, the oldest first. */
  async requests(options?: RequestOptions): Promise<RequestEntry[]> {
    return (await this.#api.send<{ requests: RequestEntry[] }>('GET', '/requests', options)).requests;
  }

  /**
   * Opens a request, so that the user sees what is asked and can decide.
   * @param id the id in the list or in the notification of the deployment
   * @throws PhoneError `not_found` if the request is over, or was decided on another device
   */
  openRequest(id: string, options?: RequestOptions): Promise<Ticket> {
    return this.#claim(pathOf(id, '/requests'), {}, options);
  }

  async #claim(path: string, body: object, options?: RequestOptions, returnTo?: string): Promise<Ticket> {
    return new Ticket(this.#api, await this.#api.send('POST', path, { ...options, body }), returnTo);
  }
}
