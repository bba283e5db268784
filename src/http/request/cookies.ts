import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { Interaction } from '../../oidc/interaction.ts';
import { signedCookie } from '../../oidc/signed-cookie.ts';
import { formatMemory, parseMemory } from '../../ticket/memory.ts';
import { fingerprint } from '../../ticket/secret-keys.ts';
import type { BrowserMemory } from '../../ticket/ticket.ts';
import type { Urls } from './urls.ts';

const BINDING = '_qr_browser';
const MEMORY = '_qr_memory';
const FRESH_CODE = '_qr_seen';
const OFFER = '_qr_offer';

const MEMORY_DAYS = 180;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The time for which the error page links back to the app after the interaction has ended. */
const WAY_BACK_MS = DAY_MS;
/** The time for which a code counts as fresh if it was fresh when it was scanned. Its ticket ends earlier. */
const FRESH_CODE_MS = 10 * 60 * 1000;
/** The note about an offered sign-in lasts this long, which is longer than any ticket. */
const OFFER_MS = 60 * 60 * 1000;

/** The sign-in to which a stronger one was offered: its time in seconds since the epoch, and its session's id. */
export interface NotedOffer {
  readonly authenticatedAt: number;
  readonly signInId: string;
}

/** The plugin's own cookies: signed, HttpOnly, Secure if the issuer is https, each on the narrowest path that works. */
export class Cookies {
  readonly #urls: Urls;

  constructor(urls: Urls) {
    this.#urls = urls;
  }

  /** Binds an interaction to the browser that started it. Only the fingerprint of the secret is ever stored. */
  bind(ctx: Context, { uid, params }: Interaction, maxAge: number): void {
    const client = Buffer.from(String(params.client_id)).toString('base64url');
    const secret = `${uid}.${randomBytes(16).toString('base64url')}.${client}`;
    this.#set(ctx, BINDING, secret, this.#urls.interaction(uid), maxAge + WAY_BACK_MS);
  }

  /** Returns the client that sent this browser here, also after the interaction has ended. */
  clientId(ctx: Context, uid: string): string | undefined {
    const [of, , client] = signedCookie(ctx.cookies, BINDING)?.split('.') ?? [];
    return of === uid && client !== undefined ? Buffer.from(client, 'base64url').toString() : undefined;
  }

  /** Returns the fingerprint of the binding; undefined for a browser that did not start this interaction. */
  binding(ctx: Context, uid: string): string | undefined {
    const secret = signedCookie(ctx.cookies, BINDING);
    return secret?.startsWith(`${uid}.`) ? fingerprint(secret) : undefined;
  }

  keepMemory(ctx: Context, memory: BrowserMemory): void {
    this.#set(ctx, MEMORY, formatMemory(memory), this.#urls.interactions, MEMORY_DAYS * DAY_MS);
  }

  memory(ctx: Context): BrowserMemory | undefined {
    const text = signedCookie(ctx.cookies, MEMORY);
    return text === undefined ? undefined : parseMemory(text);
  }

  /** Notes on the phone that it scanned this code while it was fresh. */
  noteFreshCode(ctx: Context, code: string, now: number): void {
    this.#set(ctx, FRESH_CODE, `${code}.${now + FRESH_CODE_MS}`, this.#urls.phone, FRESH_CODE_MS);
  }

  /** Returns the code that this phone has noted last. */
  lastFreshCode(ctx: Context): string | undefined {
    return signedCookie(ctx.cookies, FRESH_CODE)?.split('.')[0];
  }

  /** Returns true if this phone has noted the code, not too long ago. */
  hasFreshCode(ctx: Context, code: string, now: number): boolean {
    const [noted, until] = signedCookie(ctx.cookies, FRESH_CODE)?.split('.') ?? [];
    return noted === code && Number(until) > now;
  }

  /** Notes on the phone to which sign-in a stronger one was offered for this ticket. */
  noteOffer(ctx: Context, ticketId: string, { authenticatedAt, signInId }: NotedOffer): void {
    this.#set(ctx, OFFER, `${authenticatedAt}.${signInId}`, this.#urls.ticket(ticketId), OFFER_MS);
  }

  /** Returns the note about the ticket of this URL; undefined if there is none. */
  offer(ctx: Context): NotedOffer | undefined {
    const [authenticatedAt, signInId] = signedCookie(ctx.cookies, OFFER)?.split('.') ?? [];
    return signInId === undefined ? undefined : { authenticatedAt: Number(authenticatedAt), signInId };
  }

  #set(ctx: Context, name: string, value: string, path: string, maxAge: number): void {
    const secure = this.#urls.origin.startsWith('https:');
    // Behind a proxy, the connection that arrives here may be http although the issuer is https.
    if (secure) ctx.cookies.secure = true;
    ctx.cookies.set(name, value, {
      path,
      maxAge,
      secure,
      signed: true,
      httpOnly: true,
      sameSite: 'lax',
      overwrite: true,
    });
  }
}
