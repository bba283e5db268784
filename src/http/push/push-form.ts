import type { Context } from 'koa';
import type { Clock } from '../../ticket/ports.ts';
import type { SessionApprover } from '../../ticket/ticket.ts';
import type { Pages } from '../pages/page-data.ts';
import { toSeconds } from '../request/responses.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface PushFormPorts {
  readonly subscriptions: Pick<Subscriptions, 'listFor' | 'publicKey' | 'subscribe' | 'unsubscribe'>;
  readonly clock: Clock;
}

/** The part of the list of browsers with which a phone asks to be told about requests. */
export class PushForm {
  readonly #ports: PushFormPorts;

  constructor(ports: PushFormPorts) {
    this.#ports = ports;
  }

  /** Returns the data of the part; undefined if the deployment does not use Web Push. */
  async offer({ accountId, sessionUid }: SessionApprover): Promise<Pages['devices']['push']> {
    const { subscriptions, clock } = this.#ports;
    const { publicKey } = subscriptions;
    if (publicKey === undefined) return undefined;
    const list = [...(await subscriptions.listFor(accountId))].sort(
      (one, other) => other.subscribedAt - one.subscribedAt,
    );
    const phones = list.map(({ id, name, system, subscribedAt, sessionUid: of }) => ({
      id,
      ...(name !== undefined && { name }),
      ...(system !== undefined && { system }),
      subscribedAt: new Date(subscribedAt).toISOString(),
      subscribedAgo: Math.floor(toSeconds(clock() - subscribedAt)),
      isHere: of === sessionUid,
    }));
    return { publicKey, phones };
  }

  /** Adds the browser that sends the form. @param subscription as JSON @throws QrLoginError `invalid_request` */
  subscribe(ctx: Context, approver: SessionApprover, subscription: string): Promise<void> {
    return this.#ports.subscriptions.subscribe(ctx, approver, subscription);
  }

  /** Removes a phone. One of another account is not found, and stays. */
  unsubscribe({ accountId }: SessionApprover, id: string): Promise<void> {
    return this.#ports.subscriptions.unsubscribe(accountId, id);
  }
}
