import type { Context } from 'koa';
import { AppChallenge, invalidProof } from '../../oidc/apps/app-challenge.ts';
import { type DpopProof, ProofVerifier } from '../../oidc/apps/dpop-proof.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import type { Urls } from '../request/urls.ts';
import { type Nonces, PROOF_LIFETIME_MS } from './nonces.ts';

export interface RequestProofPorts {
  readonly nonces: Nonces;
  readonly notes: Pick<Notes, 'claim'>;
  readonly urls: Urls;
  readonly clock: Clock;
}

/** Checks the proofs of requests, which show that the sender holds the key of the access token (RFC 9449). */
export class RequestProofs {
  readonly #ports: RequestProofPorts;
  readonly #verifier = new ProofVerifier();

  constructor(ports: RequestProofPorts) {
    this.#ports = ports;
  }

  /** Checks the proof with its nonce, and sends the present nonce with the answer. */
  async verify(ctx: Context, accessToken: string): Promise<DpopProof> {
    const { nonces, urls, clock } = this.#ports;
    const header = ctx.get('dpop');
    if (header === '') throw invalidProof('The request has no proof: send it in the header DPoP (RFC 9449).');
    const url = urls.absolute(urls.base + ctx.path);
    const proof = await this.#verifier.verify(header, { method: ctx.method, url, accessToken, now: clock() });
    const present = nonces.show();
    if (proof.nonce !== present) ctx.set('DPoP-Nonce', present);
    if (!nonces.isValid(proof.nonce))
      throw new AppChallenge('use_dpop_nonce', 'Send the request again, with the nonce of the header DPoP-Nonce.');
    return proof;
  }

  /** Ensures that each proof counts once, in all processes (RFC 9449, section 11.1). */
  async useOnce({ keyId, jti }: DpopProof): Promise<void> {
    const isNew = await this.#ports.notes.claim(`proof:${keyId}:${jti}`, PROOF_LIFETIME_MS);
    if (!isNew) throw invalidProof('This proof was used before. Make a new one for each request.');
  }
}
