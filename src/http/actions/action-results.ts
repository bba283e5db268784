import {
  findSigningKey,
  hashTexts,
  type SigningKey,
  type SigningKeys,
  signResult,
} from '../../oidc/actions/signed-result.ts';
import { callListener } from '../../oidc/call-listener.ts';
import type { Provider } from '../../oidc/provider.ts';
import { subjectOf } from '../../oidc/request/requirements.ts';
import type { ActionActs, ActionTicket } from '../../ticket/actions.ts';
import { refusalIn } from '../../ticket/errors.ts';
import type { Clock, Listener, Signals } from '../../ticket/ports.ts';
import { type DeniedTicket, isLive, type RedeemedTicket, stateAt } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import { serverError } from '../hooks/call-hook.ts';

/** The end of an action that was not approved. */
export interface RefusedApproval {
  /** `expired` also if the action is unknown, or ended so long ago that its result is no longer kept (10 minutes). */
  readonly outcome: 'denied' | 'cancelled' | 'expired';
  /**
   * The reason, if there is one: the user denied (`person`) or reported (`report`), the assessment denied (`risk`,
   * `blocked`), the phone could not meet a requirement, or the action was cancelled at its page (`browser`), by the
   * requester, or by too many wrong check codes (`check code`).
   */
  readonly because?: DeniedTicket['because'] | 'browser' | 'requester' | 'check code' | 'renewed';
}

/** The end of an action that was approved, and confirmed with the check code where that was demanded. */
export interface GivenApproval {
  readonly outcome: 'approved';
  readonly accountId: string;
  /** The texts that the phone has shown, and their hash: see `hashTexts`. */
  readonly title: string;
  readonly details: string;
  readonly detailsHash: string;
  readonly reference?: string;
  /** The time of the approval, in seconds since the epoch. */
  readonly approvedAt: number;
  /** The time of the approver's sign-in on the phone, in seconds since the epoch. */
  readonly authTime: number;
  /** The authentication context class of that sign-in. */
  readonly acr?: string;
  /** The methods of that sign-in, and those that `guard` has verified (RFC 8176). */
  readonly amr?: readonly string[];
  /** The result as a JWT (`typ: qr-approval+jwt`), if the option `actions.jwks` is set. */
  readonly jwt?: string;
}

/** The result in a process that stops before the action has ended. Another process can go on: `findApproval(id)`. */
export interface UnknownEnd {
  readonly outcome: 'unknown';
}

/** The end of an action. */
export type ApprovalResult = GivenApproval | RefusedApproval | UnknownEnd;

export interface ActionResultPorts {
  readonly provider: Provider;
  readonly ceremony: { readonly actions: Pick<ActionActs, 'look'> };
  readonly signals: Signals;
  readonly clock: Clock;
  readonly settings: { readonly actions: { readonly jwks?: SigningKeys | undefined } };
}

/** After the store could not be read, the next try comes after this time. */
const RETRY_MS = 1_000;
/** A request that confirms an action in its last moment is answered within this time. */
const SETTLING_MS = 2_000;

/** Waits for the ends of actions, in any process, and describes them. */
export class ActionResults {
  readonly #ports: ActionResultPorts;
  /** Functions that wake the waits that are asleep now. */
  readonly #wakers = new Set<() => void>();
  #closed = false;

  constructor(ports: ActionResultPorts) {
    this.#ports = ports;
  }

  /**
   * Waits for the end of an action, and tries again if the store fails.
   * @returns the end; its outcome is `unknown` if the process stops meanwhile
   */
  async whenEnded(id: string): Promise<ApprovalResult> {
    for (;;) {
      const result = await this.#waitOrReport(id);
      if (result !== undefined) return result;
      if (this.#closed) return { outcome: 'unknown' };
      await this.#sleep(RETRY_MS);
    }
  }

  /**
   * Waits for the end of an action, but not longer than a given time.
   * @param longest that time, in milliseconds
   * @param signal aborts the wait, because its client has left
   */
  async wait(id: string, longest: number = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<ActionState> {
    const { ceremony, signals, clock } = this.#ports;
    const until = clock() + longest;
    let wake = (): void => undefined;
    const listener: Listener = { hear: () => wake() };
    const leave = (): void => wake();
    signals.subscribe(id, listener);
    signal?.addEventListener('abort', leave);
    try {
      for (;;) {
        // Begin to listen before the ticket is read: a signal that comes meanwhile must not be lost.
        const signalled = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const ticket = await ceremony.actions.look(id);
        const now = clock();
        if (ticket === undefined || hasSettled(ticket, now)) return { ticket, hasEnded: true };
        if (this.#closed || signal?.aborted || now >= until) return { ticket, hasEnded: false };
        const left = isLive(ticket, now) ? ticket.deadline - now : SETTLING_MS;
        await this.#sleep(Math.min(signals.rereadEvery, left, until - now), signalled);
      }
    } finally {
      signals.unsubscribe(id, listener);
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Describes the end of an action. An action that was not decided in time has expired. */
  async describe(ticket: ActionTicket | undefined): Promise<ApprovalResult> {
    if (ticket?.state === 'redeemed') return this.#describeApproval(ticket);
    if (ticket?.state === 'denied' || ticket?.state === 'cancelled')
      return { outcome: ticket.state, because: ticket.because };
    return { outcome: 'expired' };
  }

  async #waitOrReport(id: string): Promise<ApprovalResult | undefined> {
    try {
      const { ticket, hasEnded } = await this.wait(id);
      return hasEnded ? await this.describe(ticket) : undefined;
    } catch (error) {
      // The plugin's store or the provider's is out of reach. Report that to the operator, and try again.
      const { provider } = this.#ports;
      callListener(() => provider.emit('qr_login.failed', undefined, refusalIn(error) ?? serverError(error)));
      return undefined;
    }
  }

  /** Ends all waits. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#wakers) wake();
  }

  async #describeApproval(ticket: ActionTicket & RedeemedTicket): Promise<GivenApproval> {
    const { approver, approvedAt, request } = ticket;
    const { title, details, reference } = request.action;
    const { accountId, authenticatedAt, acr, amr } = approver;
    const approval = {
      outcome: 'approved' as const,
      accountId,
      title,
      details,
      detailsHash: hashTexts(request.action),
      ...(reference !== undefined && { reference }),
      approvedAt: Math.floor(approvedAt / 1000),
      authTime: authenticatedAt,
      ...(acr !== undefined && { acr }),
      ...(amr !== undefined && { amr }),
    };
    const { jwks } = this.#ports.settings.actions;
    const key = jwks && findSigningKey(jwks);
    const sub = await this.#subjectOf(ticket);
    // Without a registered client, a signed result has no recipient, and others must not learn the account's id.
    if (key === undefined || sub === undefined) return approval;
    return { ...approval, jwt: await this.#sign(ticket, approval, { key, sub }) };
  }

  /** Returns the account as the client knows it; undefined if the client is not registered any more. */
  async #subjectOf({ approver, request }: ActionTicket & RedeemedTicket): Promise<string | undefined> {
    const { client } = request;
    return client.id === '' ? approver.accountId : subjectOf(this.#ports.provider, client.id, approver.accountId);
  }

  #sign(
    { id, request, endsAt }: ActionTicket,
    { detailsHash, reference, approvedAt, authTime, acr, amr }: GivenApproval,
    { key, sub }: { readonly key: SigningKey; readonly sub: string },
  ): Promise<string> {
    const { issuer } = this.#ports.provider;
    const { client, action } = request;
    const claims = {
      iss: issuer,
      sub_id: { format: 'iss_sub' as const, iss: issuer, sub },
      aud: action.audience ?? (client.id || issuer),
      jti: traceOf(id),
      iat: approvedAt,
      exp: Math.floor(endsAt / 1000),
      details_hash: detailsHash,
      ...(reference !== undefined && { reference }),
      auth_time: authTime,
      ...(acr !== undefined && { acr }),
      ...(amr !== undefined && { amr }),
    };
    return signResult(claims, key);
  }

  async #sleep(ms: number, woken?: Promise<void>): Promise<void> {
    if (this.#closed) return;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = setTimeout(end, Math.max(0, ms));
    this.#wakers.add(end);
    await (woken === undefined ? ended : Promise.race([ended, woken]));
    clearTimeout(timer);
    this.#wakers.delete(end);
  }
}

/** The state of an action after a wait for its end. */
interface ActionState {
  readonly ticket: ActionTicket | undefined;
  readonly hasEnded: boolean;
}

/**
 * Returns true if nothing can happen to the action any more. An action whose time is over counts as settled only a
 * little later, because a request that arrived in its last moment may still confirm it.
 */
function hasSettled(ticket: ActionTicket, now: number): boolean {
  if (isLive(ticket, now)) return false;
  return stateAt(ticket, now) !== 'expired' || now >= ticket.deadline + SETTLING_MS;
}
