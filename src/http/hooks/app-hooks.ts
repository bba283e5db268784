import type { Context } from 'koa';

/** An app that sends a request, and the account and the key of its access token. */
export interface AppIdentity {
  /** The app's `client_id`. */
  readonly clientId: string;
  /** The thumbprint of the key that the token is bound to (RFC 7638), which identifies the device. */
  readonly keyId: string;
  readonly accountId: string;
}

/**
 * Returns true if this app, on this device, may approve sign-ins: a deployment can demand an attestation of the app here,
 * from a header of the request or from its own records. It is called for each request of an app, after its token and
 * proof were checked.
 */
export type AssureApp = (ctx: Context, app: AppIdentity) => boolean | Promise<boolean>;
