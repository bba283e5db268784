import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { BrowserKey } from '../../ticket/browsers/browser-key.ts';
import { isTrusting } from '../../ticket/browsers/duration.ts';
import { browserId, type FinishedSignIn } from '../../ticket/browsers/signed-in-browser.ts';
import type { AppGrant, ApproverStanding, Place, RedeemedTicket } from '../../ticket/ticket.ts';
import { clientNameOf, verifiedHost } from '../client.ts';

/** Data about the browser in the login result of a sign-in that a phone approved. */
export interface BrowserNote {
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** True if the account trusted this browser when the sign-in was finished. */
  readonly known: boolean;
  /** The fingerprint of the secret in the browser's memory cookie, by which the account may know the browser. */
  readonly knownAs: string;
  /** The key to which the trust is bound, if the browser has made one. */
  readonly key?: BrowserKey;
  /** The key of an enrolled browser, if the account may be used in such browsers only. */
  readonly enrolledKey?: BrowserKey;
  /** True if the user wants to stay signed in there for more than a day, and so trusts the browser. */
  readonly isTrusted: boolean;
  /** The time at which the sign-in was finished, in milliseconds since the epoch. */
  readonly at: number;
  /** The time at which the phone approved, in milliseconds since the epoch. */
  readonly approvedAt: number;
  /** The id of the phone's browser, derived from the session that approved; absent if an app did. */
  readonly approvedBy?: string;
  /** The `uid` of the phone's session; absent if an app approved. */
  readonly approverSession?: string;
  /** The grant of the app that approved; absent if a page did. */
  readonly approverGrant?: AppGrant;
  readonly signIn: FinishedSignIn;
  /** True if the user authenticated for this request, so that `max_age` is met however old the sign-in gets. */
  readonly forTicket?: true;
}

export function makeBrowserNote(
  ticket: RedeemedTicket,
  trust: Pick<BrowserNote, 'known' | 'knownAs' | 'key'>,
): BrowserNote {
  const { browser, since, approver, approvedAt, enrolledKey } = ticket;
  const { name, system, place } = browser;
  return {
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
    ...trust,
    ...(enrolledKey !== undefined && { enrolledKey }),
    isTrusted: isTrusting(ticket),
    at: since,
    approvedAt,
    ...(approver.grant === undefined
      ? { approvedBy: browserId(approver.sessionUid), approverSession: approver.sessionUid }
      : { approverGrant: approver.grant }),
    signIn: toFinishedSignIn(ticket),
    ...(approver.forTicket && { forTicket: true }),
  };
}

/** Returns the approver of a finished sign-in; undefined for a note of an earlier version, which names none. */
export function approverOfNote(
  accountId: string,
  { approverSession: sessionUid, approverGrant: grant }: Pick<BrowserNote, 'approverSession' | 'approverGrant'>,
): ApproverStanding | undefined {
  if (grant !== undefined) return { accountId, grant };
  return sessionUid === undefined ? undefined : { accountId, sessionUid };
}

export function toFinishedSignIn({ id, request, browser, shownAt }: RedeemedTicket): FinishedSignIn {
  return { ticketId: id, clientId: request.client.id, source: browser.source, shownAt };
}

/** Calls the listener, before the answer is sent, for each sign-in of any kind that an interaction ends with. */
export function onSignedIn(provider: Provider, listener: (ctx: Context, sessionUid: string) => void): void {
  provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
    const { entities, result, session } = ctx.oidc;
    // The result of a later consent contains the sign-in before it.
    const isSignIn = result?.login !== undefined && entities.Interaction?.prompt.name === 'login';
    if (isSignIn && session !== undefined) listener(ctx, session.uid);
  });
}

/** The state of a browser's session at the end of a request. */
export interface SavedSession {
  readonly uid: string;
  readonly accountId: string;
  /** The time at which the session began, in milliseconds since the epoch. */
  readonly begunAt: number;
  /** The time until the session ends, in milliseconds. */
  readonly lasts: number;
  /** The client of the request. `host` is the host of its redirect URI; absent if the request has none. */
  readonly client: { readonly id: string; readonly name: string; readonly host?: string } | undefined;
  /**
   * True if the request signed the user in or found the user signed in. A request that saves the session for another
   * reason is not a use.
   */
  readonly isUse: boolean;
}

/** The oidc-provider routes that sign a user in or find a user signed in. */
const ROUTES: ReadonlySet<string> = new Set(['authorization', 'resume', 'device_resume', 'code_verification']);

/** Reads the sign-in and the session that oidc-provider left in the context of a request that it has answered. */
export class ResumedSessions {
  /** The notes by the context of the request that has just signed a user in. */
  readonly #notes = new WeakMap<object, BrowserNote>();

  constructor(provider: Provider) {
    provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
      const { entities, result } = ctx.oidc;
      // A login result of the deployment's own pages has no `replaces`.
      const isOurs = typeof result?.login?.replaces === 'string';
      const note = isOurs ? (result?.login?.browser as BrowserNote | undefined) : undefined;
      // The result of a later consent contains the sign-in before it, which must not be recorded again.
      if (note !== undefined && entities.Interaction?.prompt.name === 'login') this.#notes.set(ctx, note);
    });
  }

  /** Returns the note of this request, or undefined if it did not sign a user in by phone. */
  noteOf(ctx: Context): BrowserNote | undefined {
    return this.#notes.get(ctx);
  }

  /** Returns the session that this request ended: the user signed out at the provider, in the browser itself. */
  endedSessionOf(ctx: Context): Pick<SavedSession, 'uid' | 'accountId'> | undefined {
    const { session } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {};
    if (session?.accountId === undefined || !isDestroyed(session)) return undefined;
    return { uid: session.uid, accountId: session.accountId };
  }

  /** Returns the session after this request, or undefined if no user is signed in (any more). */
  sessionOf(ctx: Context): SavedSession | undefined {
    // Only requests to oidc-provider's own URLs have `ctx.oidc`.
    const oidc = (ctx as Partial<KoaContextWithOIDC>).oidc;
    const { session, client, route, params } = oidc ?? {};
    if (session?.accountId === undefined || session.exp === undefined) return undefined;
    if (isDestroyed(session)) return undefined;
    const host = verifiedHost(params?.redirect_uri);
    return {
      uid: session.uid,
      accountId: session.accountId,
      begunAt: session.iat === undefined ? Date.now() : session.iat * 1000,
      lasts: session.exp * 1000 - Date.now(),
      isUse: route !== undefined && ROUTES.has(route),
      client: client && { id: client.clientId, name: clientNameOf(client), ...(host !== undefined && { host }) },
    };
  }
}

/** Returns true if oidc-provider has destroyed the session in this request. Its types leave that out. */
function isDestroyed(session: object): boolean {
  return 'destroyed' in session && session.destroyed === true;
}
