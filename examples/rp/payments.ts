/** Asks the users of the demo RP to approve payments on the phone (docs/actions.md, "For apps of others"). */
import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import * as client from 'openid-client';
import { ApprovalRefused, readApproval } from '../../src/approval/index.ts';

export const PAYMENT_SCOPE = 'qr_action';

/** A payment that waits for its approval. */
export interface Payment {
  readonly order: string;
  /** The user who pays, as the provider names them to this RP. */
  readonly sub: string;
  /** The address of its result at the provider. */
  readonly resultUrl: string;
  readonly title: string;
  readonly details: string;
}

/** The end of a payment; `waiting` if the user came back before its end. */
export type PaymentOutcome = 'approved' | 'denied' | 'cancelled' | 'expired' | 'refused' | 'waiting';

export interface PaymentsPorts {
  /** The client id of the RP. */
  readonly audience: string;
  /** The page of the RP to which the browser comes back. */
  readonly returnTo: string;
  /** Sends the requests to the provider; the global `fetch` by default. */
  readonly send: typeof fetch | undefined;
}

export class Payments {
  readonly #ports: PaymentsPorts;
  /** The results that were used. A shop with several processes keeps these in its database. */
  readonly #used = new Set<string>();
  #keys: JWTVerifyGetKey | undefined;

  constructor(ports: PaymentsPorts) {
    this.#ports = ports;
  }

  /**
   * Asks the provider for the approval of a payment.
   * @returns the payment, and the page of the provider to which the browser goes
   */
  async ask(
    configuration: client.Configuration,
    sub: string,
  ): Promise<{ readonly payment: Payment; readonly approveAt: string }> {
    const order = `order-${randomUUID().slice(0, 8)}`;
    const texts = { title: 'Pay €12.50', details: `To the Lighthouse Shop\n${order}` };
    const body = { ...texts, sub, reference: order, return_to: this.#ports.returnTo };
    const { issuer } = configuration.serverMetadata();
    const answer = await this.#fetch(configuration, new URL(`${issuer}/qr/actions`), body);
    const { url } = (await answer.json()) as { url: string };
    return { payment: { order, sub, ...texts, resultUrl: `${url}/result` }, approveAt: url };
  }

  /** Returns how a payment has ended. It is approved only if the approval was verified, and was not used before. */
  async settle(configuration: client.Configuration, payment: Payment): Promise<PaymentOutcome> {
    const answer = await this.#fetch(configuration, new URL(payment.resultUrl));
    const { state, result } = (await answer.json()) as { state?: PaymentOutcome; result?: string };
    // The provider does not keep an action that has expired.
    if (state === undefined) return 'expired';
    if (state !== 'approved') return ['denied', 'cancelled', 'expired'].includes(state) ? state : 'waiting';
    const { sub, title, details, order: reference } = payment;
    const { issuer } = configuration.serverMetadata();
    const { audience } = this.#ports;
    try {
      const useOnce = (id: string): boolean => this.#useOnce(id);
      const keys = this.#keysOf(configuration);
      await readApproval(`${result}`, { issuer, audience, keys, sub, title, details, reference, useOnce });
      return 'approved';
    } catch (error) {
      if (error instanceof ApprovalRefused) return 'refused';
      throw error;
    }
  }

  /** Sends a request with an access token of the RP's own. */
  async #fetch(configuration: client.Configuration, url: URL, body?: object): Promise<Response> {
    const { access_token: token } = await client.clientCredentialsGrant(configuration, { scope: PAYMENT_SCOPE });
    const send = this.#ports.send ?? fetch;
    return send(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  #keysOf(configuration: client.Configuration): JWTVerifyGetKey {
    const { send } = this.#ports;
    const { jwks_uri: jwksUri = '' } = configuration.serverMetadata();
    this.#keys ??= createRemoteJWKSet(new URL(jwksUri), send && { [customFetch]: send });
    return this.#keys;
  }

  #useOnce(id: string): boolean {
    if (this.#used.has(id)) return false;
    this.#used.add(id);
    return true;
  }
}
