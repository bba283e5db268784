import type { JWK } from 'jose';
import type { Context } from 'koa';
import type { Place, SignInRequest } from '../../ticket/ticket.ts';

/** An app that sends a request, and the account and the key of its access token. */
export interface AppIdentity {
  /** The app's `client_id`. */
  readonly clientId: string;
  /** The thumbprint of the key that the token is bound to (RFC 7638), which identifies the device. */
  readonly keyId: string;
  readonly accountId: string;
}

/**
 * Returns true if this app, on this device, may approve sign-ins: a deployment can demand an attestation of the app
 * here, from a header of the request or from its own records. It is called for each request of an app, after its token
 * and proof were checked.
 */
export type AssureApp = (ctx: Context, app: AppIdentity) => boolean | Promise<boolean>;

/** A decision that an app has signed: what its user was shown, and what they decided. */
export interface DecisionRecord {
  /** A name of the ticket, the same as in its events. */
  readonly ticket: string;
  readonly accountId: string;
  /** The app's `client_id`. */
  readonly app: string;
  /**
   * The public key that has signed, and its thumbprint (RFC 7638). It is the key of the app's tokens, or a registered
   * key.
   */
  readonly jwk: JWK;
  readonly keyId: string;
  readonly decision: string;
  readonly remember: boolean;
  /** The time that the user stays signed in, if the app has sent one. */
  readonly duration?: string;
  readonly client: SignInRequest['client'];
  /** The texts that the user was shown, if an action was asked for. */
  readonly action?: { readonly title: string; readonly details: string };
  /** Present if the client asked without a browser, with the message that the user was shown. */
  readonly backchannel?: { readonly bindingMessage?: string };
  readonly browser: { readonly name?: string; readonly system?: string; readonly place?: Place };
  /** The time of the decision by the app's clock, in seconds since the epoch. */
  readonly time: number;
  /** The time at which the provider received the decision, in milliseconds since the epoch. */
  readonly at: number;
  /** The JWS: it can be verified again with `jwk` at any time. */
  readonly signature: string;
}

/**
 * Keeps a signed decision in an append-only record. It is called before the decision takes effect: if it throws, the
 * decision is refused, and the app can repeat it.
 */
export type OnDecision = (ctx: Context, record: DecisionRecord) => void | Promise<void>;
