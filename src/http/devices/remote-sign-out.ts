import type { Context } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import { type EndedSession, endSession } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import type { SignedInBrowser, SignedInBrowsers } from '../../ticket/signed-in-browser.ts';
import { sourceOf } from '../request/client-info.ts';

/** Emitted on the provider with the request's context, where a browser was signed out from elsewhere. */
export interface SignedOutEvent {
  readonly accountId: string;
  /** Where the request comes from that has led to this. */
  readonly from: string;
  /** The apps that knew of the browser's session. */
  readonly clientIds: readonly string[];
}

/**
 * For how long it is kept in mind, in milliseconds, that a session has ended: oidc-provider saves sessions whole, so a request that was
 * under way brings one back, and some take their time. At least this long, and as long as the session would have lasted.
 */
const AT_LEAST = 60 * 60_000;

export interface RemoteSignOutPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly notes: Notes;
  readonly clock: Clock;
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
    { id, sessionUid, endsAt }: Pick<SignedInBrowser, 'id' | 'sessionUid' | 'endsAt'>,
  ): Promise<EndedSession | undefined> {
    const { provider, browsers, notes, clock } = this.#ports;
    const from = sourceOf(ctx);
    // First: whatever saves the session from here on finds it.
    await notes.write(noteKeyOf(id), Math.max(AT_LEAST, endsAt - clock()));
    const first = await endSession(provider, ctx, { accountId, sessionUid });
    await browsers.remove(accountId, id);
    // What was saved between the two.
    const again = await endSession(provider, ctx, { accountId, sessionUid });
    if (first === undefined && again === undefined) return undefined;
    const clientIds = union(first?.clientIds, again?.clientIds);
    const event: SignedOutEvent = { accountId, from, clientIds };
    callListener(() => provider.emit('qr_login.signed_out', ctx, event));
    return { clientIds, unreached: Promise.all([first?.unreached, again?.unreached]).then((lost) => union(...lost)) };
  }

  /** Whether the session of this browser was ended: a request that was under way may have brought it back. */
  async wasEnded(id: string): Promise<boolean> {
    return (await this.#ports.notes.read(noteKeyOf(id))) !== undefined;
  }
}

function union(...lists: readonly (readonly string[] | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

function noteKeyOf(id: string): string {
  return `ended:${id}`;
}
