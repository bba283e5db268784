import type { Context } from 'koa';
import type { EndedSession } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import { findSessionClients } from '../../oidc/session-clients.ts';
import { forgetAllBrowsers, type KnownBrowser, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { SignedInBrowser, SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import type { Clock } from '../../ticket/ports.ts';
import type { ApproverStanding } from '../../ticket/ticket.ts';
import type { BrowserEntry } from '../pages/page-data.ts';
import { toSeconds } from '../request/responses.ts';
import type { BrowserPasskeyList } from './browser-passkey-list.ts';
import type { RemoteSignOut } from './remote-sign-out.ts';
import type { SignInRevocation } from './revocation.ts';

/** The number of browsers that are signed out at a time. */
const BATCH_SIZE = 10;

export interface BrowserListPorts {
  readonly provider: Provider;
  readonly browsers: Pick<SignedInBrowsers, 'list'>;
  readonly known: KnownBrowsers;
  readonly remoteSignOut: RemoteSignOut;
  readonly revocation: Pick<SignInRevocation, 'revokePending'>;
  readonly browserPasskeyList: Pick<BrowserPasskeyList, 'remove'>;
  readonly clock: Clock;
}

/** The browsers that an account is signed in to by QR, as its pages and its apps list and end them. */
export class BrowserLists {
  readonly #ports: BrowserListPorts;

  constructor(ports: BrowserListPorts) {
    this.#ports = ports;
  }

  /** Returns the browser with this id, or none: one of another account counts as one that does not exist. */
  async find(accountId: string, id: string): Promise<readonly SignedInBrowser[]> {
    return (await this.#ports.browsers.list(accountId)).filter((browser) => browser.id === id);
  }

  /**
   * Signs a browser out, or all, which also ends the trust in all and removes their passkeys.
   * @param id the id of a browser, or `all`
   */
  async end(ctx: Context, approver: ApproverStanding, id: string): Promise<EndedSession[]> {
    const { browsers, known, revocation, browserPasskeyList } = this.#ports;
    const { accountId } = approver;
    if (id !== 'all') return this.#endThose(ctx, approver, await this.find(accountId, id));
    await revocation.revokePending(accountId);
    await browserPasskeyList.remove(accountId, 'all');
    await forgetAllBrowsers(known, accountId);
    return this.#endThose(ctx, approver, await browsers.list(accountId));
  }

  /** Ends this phone's own session last: if one of the others cannot be ended, the user can try again. */
  async #endThose(
    ctx: Context,
    { accountId, sessionUid }: ApproverStanding,
    list: readonly SignedInBrowser[],
  ): Promise<EndedSession[]> {
    const { remoteSignOut } = this.#ports;
    const others = list.filter((browser) => browser.sessionUid !== sessionUid);
    const here = list.filter((browser) => browser.sessionUid === sessionUid);
    const ended: EndedSession[] = [];
    for (const some of [...inBatches(others), here]) {
      const outcomes = await Promise.allSettled(some.map((browser) => remoteSignOut.end(ctx, accountId, browser)));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') throw outcome.reason;
        if (outcome.value !== undefined) ended.push(outcome.value);
      }
    }
    return ended;
  }

  /** Returns the browsers with a session that still exists, the most recently used first. */
  async signedIn({ accountId, sessionUid: here }: ApproverStanding): Promise<BrowserEntry[]> {
    const { provider, browsers, clock } = this.#ports;
    const list = [...(await browsers.list(accountId))].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    const entries = await Promise.all(
      list.map(async (browser) => {
        const { sessionUid, signedInAt } = browser;
        const clients = await findSessionClients(provider, { accountId, sessionUid });
        if (clients === undefined) return [];
        return {
          ...listed(browser, clock()),
          signedInAt: new Date(signedInAt).toISOString(),
          signedInAgo: Math.floor(toSeconds(clock() - signedInAt)),
          isHere: sessionUid === here,
          clients,
        };
      }),
    );
    return entries.flat();
  }
}

/** Returns what the lists show of each browser. A record may have more fields, also of a newer build. */
export function listed(
  { id, label, name, system, place, lastUsedAt }: SignedInBrowser | KnownBrowser,
  now: number,
): Pick<BrowserEntry, 'id' | 'label' | 'name' | 'system' | 'place' | 'lastUsedAt' | 'lastUsedAgo'> {
  return {
    id,
    ...(label !== undefined && { label }),
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
    lastUsedAgo: Math.floor(toSeconds(now - lastUsedAt)),
  };
}

function inBatches<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / BATCH_SIZE) }, (_, batch) =>
    list.slice(batch * BATCH_SIZE, (batch + 1) * BATCH_SIZE),
  );
}
