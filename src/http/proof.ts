import type { SignInRequest } from '../ticket/ticket.ts';

/** What the phone must answer before Approve counts; `unavailable` where this account has no way to. */
export type Challenge = { readonly passkey: object } | { readonly question: string } | { readonly unavailable: true };

/** What a proof is for. */
export interface ProofRequest {
  readonly accountId: string;
  readonly request: SignInRequest;
  /** 32 bytes as base64url that nobody can guess, the same for this ticket and this session on the phone. */
  readonly nonce: string;
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
   * Checks what came back, at most 3,000 characters; how often it may be wrong is for the guard to decide.
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

  /** @throws ProofRefused where the answer is not good */
  verify(nonce: string, answer: string): Promise<PasskeyOwner> | PasskeyOwner;
}

/** Thrown by a guard at an answer that is not good; the message is for logs. */
export class ProofRefused extends Error {
  override readonly name = 'ProofRefused';
}
