import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { assertSignedIn } from '../../oidc/approver.ts';
import type { Provider } from '../../oidc/provider.ts';
import { TRUST_LIFETIME_MS } from '../../ticket/browsers/known-browser.ts';
import { QrLoginError } from '../../ticket/errors.ts';
import type { Clock } from '../../ticket/ports.ts';
import { WRITTEN_FORMAT } from '../../ticket/record-format.ts';
import {
  MOST_SUBSCRIPTIONS,
  type PushSubscription,
  type PushSubscriptions,
} from '../../ticket/requests/push-subscription.ts';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import type { SessionApprover, Ticket } from '../../ticket/ticket.ts';
import { describeUserAgent, userAgentOf } from '../request/client-info.ts';
import { toSeconds } from '../request/responses.ts';
import type { Urls } from '../request/urls.ts';
import { AUTH_LENGTH, isPublicKey } from './message-encryption.ts';
import type { Destination, PushSender } from './push-sender.ts';

export interface SubscriptionPorts {
  readonly provider: Provider;
  readonly subscriptions: PushSubscriptions;
  readonly keys: SecretKeys;
  readonly urls: Urls;
  readonly clock: Clock;
  /** Undefined if the deployment does not use Web Push. */
  readonly pushSender?: PushSender | undefined;
}

/** The browsers on phones that are told by Web Push about requests that wait for their account. */
export class Subscriptions {
  readonly #ports: SubscriptionPorts;

  constructor(ports: SubscriptionPorts) {
    this.#ports = ports;
  }

  /** The public key that a browser subscribes with; undefined if the deployment does not use Web Push. */
  get publicKey(): string | undefined {
    return this.#ports.pushSender?.publicKey;
  }

  /**
   * Adds the browser that sends this request.
   * @param text the subscription as the browser describes it: `{ endpoint, keys: { p256dh, auth } }` as JSON
   * @throws QrLoginError `invalid_request`
   */
  async subscribe(ctx: Context, { accountId, sessionUid }: SessionApprover, text: string): Promise<void> {
    const { subscriptions, keys, clock } = this.#ports;
    const destination = this.#read(text);
    if (destination === undefined)
      throw new QrLoginError('invalid_request', '"subscribe" is a push subscription of a known push service, as JSON.');
    const id = createHash('sha256').update(destination.endpoint.href).digest('base64url');
    const now = clock();
    await subscriptions.put(accountId, {
      format: WRITTEN_FORMAT,
      id,
      sessionUid,
      sealed: keys.seal(id, text),
      ...describeUserAgent(userAgentOf(ctx)),
      subscribedAt: now,
      lastUsedAt: now,
      endsAt: now + TRUST_LIFETIME_MS,
    });
    const list = [...(await subscriptions.list(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    await Promise.all(list.slice(MOST_SUBSCRIPTIONS).map((old) => subscriptions.remove(accountId, old.id)));
  }

  /** Removes a subscription of the account, or does nothing. */
  async unsubscribe(accountId: string, id: string): Promise<void> {
    await this.#ports.subscriptions.remove(accountId, id);
  }

  /** Returns the subscriptions of an account whose sessions still exist, and removes the others. */
  async listFor(accountId: string): Promise<readonly PushSubscription[]> {
    const list = await this.#ports.subscriptions.list(accountId);
    const standing = await Promise.all(list.map((one) => this.#hasSession(accountId, one)));
    await Promise.all(list.filter((_, at) => !standing[at]).map(({ id }) => this.unsubscribe(accountId, id)));
    return list.filter((_, at) => standing[at]);
  }

  /** Tells the phones of an account that a request waits. The message has the address of the request alone. */
  async push(accountId: string, { id, deadline }: Pick<Ticket, 'id' | 'deadline'>): Promise<void> {
    const { pushSender, urls, clock } = this.#ports;
    if (pushSender === undefined) return;
    const message = JSON.stringify({ url: urls.request(id) });
    const lasts = toSeconds(deadline - clock());
    const list = await this.listFor(accountId);
    const sent = await Promise.allSettled(list.map((one) => this.#send(pushSender, accountId, one, message, lasts)));
    const failed = sent.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #send(
    pushSender: PushSender,
    accountId: string,
    { id, sealed }: PushSubscription,
    message: string,
    lasts: number,
  ): Promise<void> {
    const { subscriptions, keys, clock } = this.#ports;
    const destination = this.#read(keys.unseal(id, sealed) ?? '');
    const delivery = destination === undefined ? 'gone' : await pushSender.send(destination, message, lasts);
    if (delivery === 'gone') return subscriptions.remove(accountId, id);
    const now = clock();
    await subscriptions.used(accountId, id, { lastUsedAt: now, endsAt: now + TRUST_LIFETIME_MS });
  }

  #read(text: string): Destination | undefined {
    try {
      const { endpoint, keys }: { endpoint?: unknown; keys?: { p256dh?: unknown; auth?: unknown } } = JSON.parse(text);
      const url = typeof endpoint === 'string' ? this.#ports.pushSender?.readEndpoint(endpoint) : undefined;
      const p256dh = Buffer.from(`${keys?.p256dh}`, 'base64url');
      const auth = Buffer.from(`${keys?.auth}`, 'base64url');
      const isUsable = url !== undefined && auth.length === AUTH_LENGTH && isPublicKey(p256dh);
      return isUsable ? { endpoint: url, p256dh, auth } : undefined;
    } catch {
      return undefined;
    }
  }

  async #hasSession(accountId: string, { sessionUid }: PushSubscription): Promise<boolean> {
    try {
      await assertSignedIn(this.#ports.provider, { accountId, sessionUid });
      return true;
    } catch (error) {
      if (error instanceof QrLoginError && error.code === 'account_unavailable') return false;
      throw error;
    }
  }
}
