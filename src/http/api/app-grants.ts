import type { Context } from 'koa';
import { findGrantedClient } from '../../oidc/approver.ts';
import { clientNameOf } from '../../oidc/client.ts';
import { revokeGrant } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { BrowserList, ListedBrowser } from '../../ticket/browsers/browser-list.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { AppGrant, GrantApprover } from '../../ticket/ticket.ts';
import { traceOf } from '../../ticket/ticket-id.ts';
import { BoundedCache } from '../request/bounded-cache.ts';

/** The record of an app's access to an account, on a device. */
export interface AppGrantRecord extends ListedBrowser {
  readonly grant: AppGrant;
}

/** An app that can approve for an account. */
export interface AppGrantEntry {
  /** The identifier to end its access. */
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  /** The thumbprint (RFC 7638) of the key that its tokens are bound to, which identifies the device. */
  readonly keyId: string;
  /** The time of a request of the app, to the hour, in milliseconds since the epoch. */
  readonly lastUsedAt: number;
}

/** The time between two records of the same access, in milliseconds. */
const NOTE_EVERY_MS = 60 * 60_000;
/** An access that was not used for this time leaves the list. It can still be valid then, and is listed when used. */
const LISTED_FOR_MS = 180 * 24 * 60 * 60_000;

export interface AppGrantPorts {
  readonly provider: Provider;
  /** The records of each account. */
  readonly appGrants: Pick<BrowserList<AppGrantRecord>, 'put' | 'list' | 'remove'>;
  readonly clock: Clock;
}

/**
 * Lists the apps that can approve for an account, and ends their access. oidc-provider cannot list the grants of an
 * account, so each access is recorded when an app uses it: once an hour by each process.
 */
export class AppGrants {
  readonly #ports: AppGrantPorts;
  readonly #noted = new BoundedCache<true>();

  constructor(ports: AppGrantPorts) {
    this.#ports = ports;
  }

  /** Records that an app has used its access. No request waits for that or fails with it. */
  note({ accountId, grant }: GrantApprover): void {
    const { appGrants, clock } = this.#ports;
    const now = clock();
    const hour = Math.floor(now / NOTE_EVERY_MS);
    this.#noted.getOrCompute(`${hour} ${grant.grantId} ${grant.keyId}`, () => {
      const record = { id: idOf(grant), grant, lastUsedAt: now, endsAt: now + LISTED_FOR_MS };
      appGrants.put(accountId, record).catch(() => undefined);
      return true;
    });
  }

  /** Returns the apps whose access is still valid, the most recently used one first. */
  async list(accountId: string): Promise<AppGrantEntry[]> {
    const { provider, appGrants } = this.#ports;
    const list = [...(await appGrants.list(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    const entries = await Promise.all(
      list.map(async ({ id, grant, lastUsedAt }) => {
        const client = await findGrantedClient(provider, accountId, grant);
        if (client === undefined) return [];
        const { clientId, keyId } = grant;
        return { id, clientId, name: clientNameOf(client), keyId, lastUsedAt };
      }),
    );
    return entries.flat();
  }

  /**
   * Ends the access of an app: revokes its grant and all of its tokens.
   * @returns false if there is no such access
   */
  async end(ctx: Context, accountId: string, id: string): Promise<boolean> {
    const { provider, appGrants } = this.#ports;
    const record = (await appGrants.list(accountId)).find((listed) => listed.id === id);
    if (record === undefined) return false;
    await revokeGrant(provider, ctx, record.grant.grantId);
    await appGrants.remove(accountId, id);
    return true;
  }
}

function idOf({ grantId, keyId }: AppGrant): string {
  return traceOf(`${grantId} ${keyId}`);
}
