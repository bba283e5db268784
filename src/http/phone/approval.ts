import type { Context } from 'koa';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Keys } from '../../ticket/keys.ts';
import type { Judge } from '../../ticket/phone.ts';
import { riskContext, VERDICTS } from '../../ticket/risk.ts';
import type { Approver, Ticket } from '../../ticket/ticket.ts';
import { type Challenge, noncesOf, ProofRefused, type ProofRequest } from '../hooks/approve-guard.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Devices } from '../request/device.ts';
import type { Services } from '../services.ts';

/** What Approve takes beside the tap: the deployment's judgement, and a proof where a guard asks for one. */
export class Approvals {
  readonly #keys: Keys;
  readonly #devices: Devices;
  readonly #hooks: Hooks;

  constructor({ keys, devices, hooks }: Services) {
    this.#keys = keys;
    this.#devices = devices;
    this.#hooks = hooks;
  }

  /** The deployment's judgement, of the phone as it is at this moment. */
  judge(ctx: Context): Judge {
    return async (ticket, approver) => {
      const context = riskContext(this.#keys, ticket, approver, await this.#devices.of(ctx));
      const verdict = await this.#hooks.assess(context);
      if (VERDICTS.includes(verdict)) return verdict;
      throw new TypeError(`assess must give one of "${VERDICTS.join('", "')}", not ${JSON.stringify(verdict)}`);
    };
  }

  /** What the confirm page must ask; nothing where it does not offer Approve. */
  async challenge(ticket: Ticket, approver: Approver): Promise<Challenge | undefined> {
    if (ticket.state !== 'scanned') return undefined;
    return this.#hooks.guard?.challenge(this.#request(ticket, approver));
  }

  /** @returns the approver, with what was shown beside the tap */
  async prove(ticket: Ticket, approver: Approver, answer: string | undefined): Promise<Approver> {
    const { guard } = this.#hooks;
    const challenge = await this.challenge(ticket, approver);
    if (guard === undefined || challenge === undefined) return approver;
    if (!answer || 'unavailable' in challenge) {
      throw new QrLoginError(
        'proof_required',
        'Approving takes more than a tap here: a passkey, or what the page asks.',
      );
    }
    try {
      const { amr } = await guard.verify(this.#request(ticket, approver), answer);
      return { ...approver, amr: [...new Set([...(approver.amr ?? []), ...amr])] };
    } catch (cause) {
      if (!(cause instanceof ProofRefused)) throw cause;
      throw new QrLoginError('wrong_proof', 'That did not show that it is you. Try again.', { cause });
    }
  }

  #request({ id, request }: Ticket, { accountId, sessionUid }: Approver): ProofRequest {
    const nonces = noncesOf(this.#keys, 'approve', id, sessionUid);
    return { accountId, request, nonce: nonces[0] ?? '', nonces };
  }
}
