import type { Context } from 'koa';
import { assertSignedIn } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { SessionApprover, Ticket } from '../../ticket/ticket.ts';
import { LongPolls } from '../streams/long-poll.ts';
import { OwnerWatch, type OwnerWatchPorts, ownerDueAt, UNCOUNTED } from '../streams/owner-watch.ts';

/**
 * The most requests of an account's pages that may wait at a time in one process. A user has one or two pages open. A
 * further request ends the oldest one.
 */
const MOST_FOLLOWERS = 6;

export interface FollowerPorts extends OwnerWatchPorts {
  readonly provider: Provider;
  readonly clock: Clock;
}

/** The pages of phones that wait for changes of the ticket that they have scanned: each by one long poll. */
export class Followers {
  readonly #ports: FollowerPorts;
  readonly #longPolls: LongPolls<OwnerWatch>;
  /** The requests that wait now, by account, the oldest first. */
  readonly #waiting = new Map<string, Set<OwnerWatch>>();

  constructor(ports: FollowerPorts) {
    this.#ports = ports;
    this.#longPolls = new LongPolls({ dueAt: ownerDueAt }, ports.clock, UNCOUNTED);
  }

  /**
   * Waits until the ticket differs from the version that the page knows, but no longer than most proxies wait.
   * @param ticket the ticket as its owner has just read it
   * @param known the version that the page knows
   * @returns the ticket after the wait; undefined if its record has expired, or if it is not this phone's any more
   * @throws QrLoginError `account_unavailable` if the phone was signed out meanwhile
   */
  async next(ctx: Context, ticket: Ticket, approver: SessionApprover, known: number): Promise<Ticket | undefined> {
    const watch = new OwnerWatch(this.#ports, { id: ticket.id, approver }, ticket, ticket.endsAt);
    const waiting = this.#enter(approver.accountId, watch);
    try {
      const current = await this.#longPolls.next(ctx, watch, known);
      await assertSignedIn(this.#ports.provider, approver);
      return current;
    } finally {
      waiting.delete(watch);
      // The account may have a newer set by now, which must stay.
      const isCurrent = this.#waiting.get(approver.accountId) === waiting;
      if (waiting.size === 0 && isCurrent) this.#waiting.delete(approver.accountId);
    }
  }

  /** Answers every waiting request with the ticket as it is now. */
  close(): void {
    this.#longPolls.close();
  }

  #enter(accountId: string, watch: OwnerWatch): Set<OwnerWatch> {
    const waiting = this.#waiting.get(accountId) ?? new Set();
    this.#waiting.set(accountId, waiting);
    const surplus = [...waiting].slice(0, Math.max(0, waiting.size + 1 - MOST_FOLLOWERS));
    for (const oldest of surplus) {
      waiting.delete(oldest);
      oldest.dismiss();
    }
    return waiting.add(watch);
  }
}
