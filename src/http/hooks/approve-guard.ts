import type { Keys } from '../../ticket/keys.ts';
import type { SignInRequest } from '../../ticket/ticket.ts';

/** What the phone must answer before Approve counts; `unavailable` where this account has no way to. */
export type Challenge = { readonly passkey: object } | { readonly question: string } | { readonly unavailable: true };

/** What a proof is for. */
export interface ProofRequest {
  readonly accountId: string;
  readonly request: SignInRequest;
  /** 32 bytes as base64url that nobody can guess, the same for this ticket and this session on the phone: what to ask with. */
  readonly nonce: string;
  /** What an answer may be to: the same, and as it was by older keys. */
  readonly nonces: readonly string[];
}

/** What an answer has shown. */
export interface Proof {
  /** What `amr` gains by it (RFC 8176): only what was really verified. */
  readonly amr: readonly string[];
}

/** Asks for more than a tap before Approve counts. */
export interface ApproveGuard {
  /** What the phone is asked: `undefined` where a tap is enough. Asked whenever the confirm page is shown, and again on Approve. */
  challenge(wanted: ProofRequest): Promise<Challenge | undefined> | Challenge | undefined;

  /**
   * Checks what came back (it fits into 4 KB with the rest of the form); how often it may be wrong is for the guard to decide.
   * @throws ProofRefused where the answer is not good
   */
  verify(wanted: ProofRequest, answer: string): Promise<Proof> | Proof;
}

/** Who signs in with a passkey. */
export interface PasskeyOwner extends Proof {
  readonly accountId: string;
  /** The authentication context class that a passkey is worth here. */
  readonly acr?: string;
}

/** Signs people in at the browser itself, with a passkey: it works for the provider's own site only, so nobody can relay it. */
export interface PasskeySignIn {
  /** The options for `navigator.credentials.get()`, as JSON. `nonce` is the challenge. */
  options(nonce: string): Promise<object> | object;

  /**
   * @param nonces what the answer may be to: the challenge, and as it was by older keys
   * @throws ProofRefused where the answer is not good
   */
  verify(nonces: readonly string[], answer: string): Promise<PasskeyOwner> | PasskeyOwner;
}

/** Thrown by a guard at an answer that is not good; the message is for logs. */
export class ProofRefused extends Error {
  override readonly name = 'ProofRefused';
}

/** Challenges that nobody can guess and nobody has to keep, by the key of today and by older ones. */
export function noncesOf(keys: Keys, ...of: readonly string[]): string[] {
  return keys.candidates('nonce', ...of).map((mac) => mac.toString('base64url'));
}
