import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { aside } from '../oidc/aside.ts';
import { type EndedSession, endSession } from '../oidc/end-session.ts';
import type { Notes } from '../ticket/ports.ts';
import { browserId, type SignedInBrowser, type SignedInBrowsers } from '../ticket/signed-in-browser.ts';
import { sourceOf } from './client-info.ts';

/** Emitted on the provider with the request's context, where a browser was signed out from elsewhere. */
export interface SignedOutEvent {
  readonly accountId: string;
  /** Where the request comes from that has led to this. */
  readonly from: string;
  /** The apps that knew of the browser's session. */
  readonly clientIds: readonly string[];
}

/** No request of a browser is under way for longer, in milliseconds. */
const REMEMBERED_FOR = 60_000;

export interface RemoteSignOutPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly notes: Notes;
}

/** Signs a browser out that is elsewhere. */
export class RemoteSignOut {
  readonly #ports: RemoteSignOutPorts;

  constructor(ports: RemoteSignOutPorts) {
    this.#ports = ports;
  }

  /**
   * Ends the browser's session and all that it gave, then takes it off the list.
   * @returns undefined where its session had ended before
   * @throws QrLoginError `store_unavailable` where that may not be done; it is on the list then, to be done again
   */
  async end(
    ctx: Context,
    accountId: string,
    { id, sessionUid }: Pick<SignedInBrowser, 'id' | 'sessionUid'>,
  ): Promise<EndedSession | undefined> {
    const { provider, browsers, notes } = this.#ports;
    const from = sourceOf(ctx);
    await notes.write(ended(id), REMEMBERED_FOR);
    const first = await endSession(provider, ctx, { accountId, sessionUid });
    await browsers.remove(accountId, id);
    // What was saved between the two; what is saved from here on finds the note.
    const again = await endSession(provider, ctx, { accountId, sessionUid });
    if (first === undefined && again === undefined) return undefined;
    const all = {
      clientIds: union(first?.clientIds, again?.clientIds),
      unreached: union(first?.unreached, again?.unreached),
    };
    const event: SignedOutEvent = { accountId, from, clientIds: all.clientIds };
    aside(() => provider.emit('qr_login.signed_out', ctx, event));
    return all;
  }

  /** Whether this session was ended just now: a request that was under way may have brought it back. */
  async wasEnded(sessionUid: string): Promise<boolean> {
    return (await this.#ports.notes.read(ended(browserId(sessionUid)))) !== undefined;
  }
}

function union(one: readonly string[] = [], other: readonly string[] = []): string[] {
  return [...new Set([...one, ...other])];
}

function ended(id: string): string {
  return `signed out ${id}`;
}
