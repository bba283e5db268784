import type { Clock } from '../../ticket/ports.ts';
import { matches, type SecretKeys } from '../../ticket/secret-keys.ts';

/** The time for which a nonce is the present one, in milliseconds. After that it is accepted for as long again. */
const SLOT_MS = 120_000;
/** A used proof must be remembered for this long, to refuse it if it is repeated. After that its nonce has expired. */
export const PROOF_LIFETIME_MS: number = 2 * SLOT_MS;

export interface NoncePorts {
  readonly keys: SecretKeys;
  readonly issuer: string;
  readonly clock: Clock;
}

/** The nonces of a slot of time, which stay the same during the slot. */
interface SlotMacs {
  readonly slot: number;
  readonly present: string;
  readonly valid: readonly string[];
}

/**
 * The nonces that proofs must have (RFC 9449, section 8): they show that a proof was not made in advance. A nonce is
 * a MAC over the issuer and a slot of time, so that no node has to remember it, and a nonce of another issuer is not
 * valid.
 */
export class Nonces {
  readonly #ports: NoncePorts;
  #macs: SlotMacs | undefined;

  constructor(ports: NoncePorts) {
    this.#ports = ports;
  }

  /** Returns the present nonce. */
  show(): string {
    return this.#currentMacs.present;
  }

  /** Returns true if this is the present nonce, or the one before it, by any of the keys; false without a nonce. */
  isValid(nonce: string | undefined): boolean {
    return nonce !== undefined && matches(this.#currentMacs.valid, nonce);
  }

  get #currentMacs(): SlotMacs {
    const { keys, issuer, clock } = this.#ports;
    const slot = Math.floor(clock() / SLOT_MS);
    if (this.#macs?.slot === slot) return this.#macs;
    const [present, before] = [slot, slot - 1].map((one) =>
      keys.candidates('dpop nonce', issuer, `${one}`).map((mac) => mac.toString('base64url')),
    );
    this.#macs = { slot, present: present?.[0] ?? '', valid: [...(present ?? []), ...(before ?? [])] };
    return this.#macs;
  }
}
