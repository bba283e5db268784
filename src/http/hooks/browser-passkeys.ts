import type { Context } from 'koa';
import type { Place } from '../../ticket/ticket.ts';

/** The browser for which a phone has approved a passkey. Store it with the passkey. */
export interface PasskeyBrowser {
  /** Its claimed name and system, and its rough location, when the passkey was added. */
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** The time of the addition, in milliseconds since the epoch. */
  readonly addedAt: number;
  /** The id of its session on the list of signed-in browsers. It gives no access to the session. */
  readonly session: string;
  /** The name by which accounts may know it, also in later sessions. */
  readonly knownAs: string;
}

/** A passkey that was added in a browser with the phone's approval. */
export interface BrowserPasskey {
  /** The passkey's id (base64url). */
  readonly id: string;
  readonly browser: PasskeyBrowser;
}

/** The phone's approval of a passkey: for one account, one browser and one challenge. */
export interface ApprovedPasskey {
  readonly accountId: string;
  readonly browser: PasskeyBrowser;
  readonly challenge: string;
}

/** The passkeys that browsers add after a sign-in by QR, each with an approval of its own. */
export interface BrowserPasskeys {
  /**
   * Returns the options of `navigator.credentials.create()` as JSON, with a new `challenge`.
   * @param userName the name under which the browser lists the passkey
   */
  options(accountId: string, userName: string): Promise<CreationOptions> | CreationOptions;

  /**
   * Checks the browser's answer, and stores the passkey with its browser.
   * @param answer `PublicKeyCredential.toJSON()` of the browser, as JSON
   * @throws ProofRefused if the answer is wrong
   */
  add(ctx: Context, approved: ApprovedPasskey, answer: string): Promise<void> | void;

  /** Returns the passkeys of an account that were added in this way. */
  list(accountId: string): Promise<readonly BrowserPasskey[]> | readonly BrowserPasskey[];

  /** Removes a passkey of this account. It is no error if the passkey does not exist (any more). */
  remove(accountId: string, id: string): Promise<void> | void;
}

/** The creation options in JSON. The plugin reads the challenge alone. */
export interface CreationOptions {
  readonly challenge: string;
}
