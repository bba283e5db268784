import type { Context } from 'koa';
import { callListener } from '../../oidc/call-listener.ts';
import { type EndedSession, endSession } from '../../oidc/end-session.ts';
import type { Provider } from '../../oidc/provider.ts';
import { forgetBrowserOf, type KnownBrowsers } from '../../ticket/browsers/known-browser.ts';
import type { SignedInBrowser, SignedInBrowsers } from '../../ticket/browsers/signed-in-browser.ts';
import type { Clock, Notes } from '../../ticket/ports.ts';
import { sourceOf } from '../request/client-info.ts';
import type { BrowserPasskeyList } from './browser-passkey-list.ts';

/** Emitted on the provider with the request's context, when a browser was signed out from elsewhere. */
export interface SignedOutEvent {
  readonly accountId: string;
  /** The network address of the request that caused the sign-out. */
  readonly from: string;
  /** The clients that knew of the browser's session. */
  readonly clientIds: readonly string[];
}

/**
 * The shortest lifetime of the note that a session has ended; it also lasts as long as the session would have lasted.
 * oidc-provider saves sessions as a whole, so a pending request, which may be slow, can bring an ended session back.
 */
const MIN_NOTE_LIFETIME_MS = 60 * 60_000;

export interface RemoteSignOutPorts {
  readonly provider: Provider;
  readonly browsers: SignedInBrowsers;
  readonly known: KnownBrowsers;
  readonly notes: Notes;
  readonly clock: Clock;
  readonly browserPasskeyList: Pick<BrowserPasskeyList, 'knownIdsOf' | 'removeOf'>;
}

/** Signs a browser out from another device. */
export class RemoteSignOut {
  readonly #ports: RemoteSignOutPorts;

  constructor(ports: RemoteSignOutPorts) {
    this.#ports = ports;
  }

  /**
   * Ends the browser's session, the trust that was given in it and its passkeys, revokes everything that was granted in
   * it, and then takes the browser off the list.
   * @returns undefined if the session had ended before
   * @throws QrLoginError `store_unavailable` if the session may not have ended; the browser stays on the list, so the
   * call can be repeated
   */
  async end(
    ctx: Context,
    accountId: string,
    { id, sessionUid, endsAt }: Pick<SignedInBrowser, 'id' | 'sessionUid' | 'endsAt'>,
  ): Promise<EndedSession | undefined> {
    const { provider, browsers, known, notes, clock, browserPasskeyList } = this.#ports;
    const from = sourceOf(ctx);
    // Write the note first, so that every request that saves the session from here on finds it.
    await notes.write(noteKeyOf(id), Math.max(MIN_NOTE_LIFETIME_MS, endsAt - clock()));
    // Read these ids before the trust ends: the passkey of an earlier session is found by them.
    const knownIds = await browserPasskeyList.knownIdsOf(accountId, sessionUid);
    await forgetBrowserOf(known, accountId, sessionUid);
    const first = await endSession(provider, ctx, { accountId, sessionUid });
    // Remove the passkeys before the browser leaves the list: if that fails, the user can try again.
    await browserPasskeyList.removeOf(accountId, [id, ...knownIds]);
    await browsers.remove(accountId, id);
    // A pending request may have saved the session again in between.
    const again = await endSession(provider, ctx, { accountId, sessionUid });
    if (first === undefined && again === undefined) return undefined;
    const clientIds = union(first?.clientIds, again?.clientIds);
    const event: SignedOutEvent = { accountId, from, clientIds };
    callListener(() => provider.emit('qr_login.signed_out', ctx, event));
    return { clientIds, unreached: Promise.all([first?.unreached, again?.unreached]).then((lost) => union(...lost)) };
  }

  /** Returns true if the session of this browser was ended. A request that was pending may have brought it back. */
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
