import type { Clock } from '../../ticket/ports.ts';
import { matches, type SecretKeys } from '../../ticket/secret-keys.ts';

/** The time for which a nonce is the present one. It is accepted for as long again. */
const SLOT_MS = 120_000;
/** A proof cannot be accepted for longer than this after its first use, because its nonce is not valid any more. */
export const PROOF_LIFETIME_MS: number = 2 * SLOT_MS;

export interface NoncePorts {
  readonly keys: SecretKeys;
  readonly issuer: string;
  readonly clock: Clock;
}

/**
 * The nonces that proofs must have (RFC 9449, section 8): they show that a proof was not made in advance. A nonce is a MAC
 * over the issuer and a slot of time, so that no node has to remember it, and another issuer's is not valid.
 */
export class Nonces {
  readonly #ports: NoncePorts;

  constructor(ports: NoncePorts) {
    this.#ports = ports;
  }

  /** Returns the present nonce. */
  show(): string {
    const { keys, issuer } = this.#ports;
    return keys.mac('dpop nonce', issuer, `${this.#slot}`).toString('base64url');
  }

  /** Returns true if this is the present nonce, or the one before it, by any of the keys; false without a nonce. */
  isValid(nonce: string | undefined): boolean {
    if (nonce === undefined) return false;
    const { keys, issuer } = this.#ports;
    const slots = [this.#slot, this.#slot - 1];
    const valid = slots.flatMap((slot) => keys.candidates('dpop nonce', issuer, `${slot}`));
    return matches(
      valid.map((mac) => mac.toString('base64url')),
      nonce,
    );
  }

  get #slot(): number {
    return Math.floor(this.#ports.clock() / SLOT_MS);
  }
}
