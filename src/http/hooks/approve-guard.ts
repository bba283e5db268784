import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SignInRequest } from '../../ticket/ticket.ts';

/**
 * The challenge that the phone must answer before Approve counts; `unavailable` if this account has no way to answer
 * one.
 */
export type Challenge = { readonly passkey: object } | { readonly question: string } | { readonly unavailable: true };

/** The sign-in that a proof is for. */
export interface ProofRequest {
  readonly accountId: string;
  readonly request: SignInRequest;
  /**
   * The unguessable value to put into the challenge: 32 bytes as base64url. It stays the same for this ticket and this
   * session on the phone, or this app and its key.
   */
  readonly nonce: string;
  /** The values that an answer may contain: `nonce`, and the same value derived from older keys. */
  readonly nonces: readonly string[];
}

/** The result of a verified answer. */
export interface Proof {
  /** The methods to add to `amr` (RFC 8176): only those that were really verified. */
  readonly amr: readonly string[];
}

/** A guard that demands more than a tap before Approve counts. */
export interface ApproveGuard {
  /**
   * Returns the challenge for the phone, or `undefined` if a tap is enough. Called whenever the confirm page is shown,
   * and again on Approve.
   */
  challenge(wanted: ProofRequest): Promise<Challenge | undefined> | Challenge | undefined;

  /**
   * Checks the answer. It must fit into 4 KB together with the rest of the form. The guard decides how many wrong
   * answers it accepts.
   * @throws ProofRefused if the answer is wrong
   */
  verify(wanted: ProofRequest, answer: string): Promise<Proof> | Proof;
}

/** The account that signs in with a passkey. */
export interface PasskeyOwner extends Proof {
  readonly accountId: string;
  /** The authentication context class of a sign-in with a passkey. */
  readonly acr?: string;
}

/**
 * Signs a user in at the browser, with a passkey. It cannot be relayed, because it works on the provider's own site
 * only.
 */
export interface PasskeySignIn {
  /** Returns the options for `navigator.credentials.get()`, as JSON, with `nonce` as their `challenge`. */
  options(nonce: string): Promise<object> | object;

  /**
   * Checks the browser's answer, and returns the owner of the passkey.
   * @param nonces the values that the answer may contain as its challenge: the present one, and those of older keys
   * @throws ProofRefused if the answer is wrong
   */
  verify(nonces: readonly string[], answer: string): Promise<PasskeyOwner> | PasskeyOwner;
}

/** Thrown by a guard if an answer is wrong. The message is for logs. */
export class ProofRefused extends Error {
  override readonly name = 'ProofRefused';
}

/** Returns the same unguessable value, derived from each key, so that it need not be stored. The present key is first. */
export function noncesOf(keys: SecretKeys, ...parts: readonly string[]): string[] {
  return keys.candidates('nonce', ...parts).map((mac) => mac.toString('base64url'));
}
