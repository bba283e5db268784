import type { Context } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { browserId } from '../ticket/signed-in-browser.ts';
import type { Place, RedeemedTicket } from '../ticket/ticket.ts';
import { APPROVED_ON_A_PHONE } from './approved-on-phone.ts';
import { readable } from './parameters.ts';

/** What a sign-in that a phone has approved says of the browser, in its login result. */
export interface BrowserNote {
  readonly name?: string;
  readonly system?: string;
  readonly place?: Place;
  /** Whether the account was signed in to this browser by QR before. */
  readonly known: boolean;
  /** When it was finished, in milliseconds since the epoch. */
  readonly at: number;
  /** The browser whose session has approved: the phone's. */
  readonly approvedBy: string;
}

export function browserNote({ browser, since, approver }: RedeemedTicket, known: boolean): BrowserNote {
  const { name, system, place } = browser;
  return {
    ...(name !== undefined && { name }),
    ...(system !== undefined && { system }),
    ...(place !== undefined && { place }),
    known,
    at: since,
    approvedBy: browserId(approver.sessionUid),
  };
}

/** A browser's session as a request has left it. */
export interface SessionLeft {
  readonly uid: string;
  readonly accountId: string;
  /** When it was begun, in milliseconds since the epoch. */
  readonly begunAt: number;
  /** How long it lasts from now on, in milliseconds. */
  readonly lasts: number;
  /** Whether its person was signed in by a phone. */
  readonly byPhone: boolean;
  readonly client: { readonly id: string; readonly name: string } | undefined;
  /** Whether somebody was signed in there, or was found to be: what else the session was saved for does not count as its use. */
  readonly isUse: boolean;
}

/** oidc-provider's URLs at which somebody gets to be signed in, or is found to be. */
const ROUTES: ReadonlySet<string> = new Set(['authorization', 'resume', 'device_resume', 'code_verification']);

/** What oidc-provider has done with a browser's session in a request that is answered. */
export class Resumed {
  /** By the context of the request that has just signed somebody in. */
  readonly #notes = new WeakMap<object, BrowserNote>();

  constructor(provider: Provider) {
    provider.on('interaction.ended', (ctx: KoaContextWithOIDC) => {
      const { entities, result } = ctx.oidc;
      // What the deployment's own pages sign in with has no such field.
      const isOurs = typeof result?.login?.replaces === 'string';
      const note = isOurs ? (result?.login?.browser as BrowserNote | undefined) : undefined;
      // A consent that follows brings the sign-in before it along.
      if (note !== undefined && entities.Interaction?.prompt.name === 'login') this.#notes.set(ctx, note);
    });
  }

  /** Undefined where nobody was signed in by a phone in this very request. */
  noteOf(ctx: Context): BrowserNote | undefined {
    return this.#notes.get(ctx);
  }

  /** Undefined where nobody is signed in there (any more). */
  sessionOf(ctx: Context): SessionLeft | undefined {
    // Only oidc-provider's own URLs have it.
    const oidc = (ctx as Partial<KoaContextWithOIDC>).oidc;
    const { session, client, route } = oidc ?? {};
    if (session?.accountId === undefined || session.exp === undefined) return undefined;
    if ('destroyed' in session && session.destroyed === true) return undefined;
    return {
      uid: session.uid,
      accountId: session.accountId,
      begunAt: session.iat === undefined ? Date.now() : session.iat * 1000,
      lasts: session.exp * 1000 - Date.now(),
      byPhone: APPROVED_ON_A_PHONE.every((method) => session.amr?.includes(method)),
      isUse: route !== undefined && ROUTES.has(route),
      client: client && { id: client.clientId, name: readable(client.clientName || client.clientId) },
    };
  }
}
