import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { Interaction } from '../../oidc/interaction.ts';
import { signedCookie } from '../../oidc/signed-cookie.ts';
import { fingerprint } from '../../ticket/keys.ts';
import { formatMemory, parseMemory } from '../../ticket/memory.ts';
import type { BrowserMemory } from '../../ticket/ticket.ts';
import type { Urls } from './urls.ts';

const BINDING = '_qr_browser';
const MEMORY = '_qr_memory';
const SEEN = '_qr_seen';

const MEMORY_DAYS = 180;
/** Who comes back to a page whose interaction is over is shown the way back to the app for this long. */
const WAY_BACK_FOR = 24 * 60 * 60 * 1000;
const DAY = 24 * 60 * 60 * 1000;
/** A code that was fresh when it was scanned counts as fresh for this long; its ticket's deadline comes first. */
const SEEN_FOR = 10 * 60 * 1000;

/** The plugin's own cookies: signed, HttpOnly, Secure where the issuer is https, each on the narrowest path that works. */
export class Cookies {
  readonly #urls: Urls;

  constructor(urls: Urls) {
    this.#urls = urls;
  }

  /** Binds an interaction to the browser that started it. Only its fingerprint is ever stored. */
  bind(ctx: Context, { uid, params }: Interaction, maxAge: number): void {
    const client = Buffer.from(String(params.client_id)).toString('base64url');
    const secret = `${uid}.${randomBytes(16).toString('base64url')}.${client}`;
    this.#set(ctx, BINDING, secret, this.#urls.interaction(uid), maxAge + WAY_BACK_FOR);
  }

  /** The client whose request led this browser here, also when the interaction itself is over. */
  clientId(ctx: Context, uid: string): string | undefined {
    const [of, , client] = signedCookie(ctx.cookies, BINDING)?.split('.') ?? [];
    return of === uid && client !== undefined ? Buffer.from(client, 'base64url').toString() : undefined;
  }

  /** The fingerprint of the binding; undefined for a browser that did not start this very interaction. */
  binding(ctx: Context, uid: string): string | undefined {
    const secret = signedCookie(ctx.cookies, BINDING);
    return secret?.startsWith(`${uid}.`) ? fingerprint(secret) : undefined;
  }

  keepMemory(ctx: Context, memory: BrowserMemory): void {
    this.#set(ctx, MEMORY, formatMemory(memory), this.#urls.interactions, MEMORY_DAYS * DAY);
  }

  memory(ctx: Context): BrowserMemory | undefined {
    const text = signedCookie(ctx.cookies, MEMORY);
    return text === undefined ? undefined : parseMemory(text);
  }

  /** Notes on the phone that it saw this code while it was fresh. */
  seen(ctx: Context, code: string, now: number): void {
    this.#set(ctx, SEEN, `${code}.${now + SEEN_FOR}`, this.#urls.phone, SEEN_FOR);
  }

  /** The code that this phone saw last. */
  seenCode(ctx: Context): string | undefined {
    return signedCookie(ctx.cookies, SEEN)?.split('.')[0];
  }

  hasSeen(ctx: Context, code: string, now: number): boolean {
    const [seen, until] = signedCookie(ctx.cookies, SEEN)?.split('.') ?? [];
    return seen === code && Number(until) > now;
  }

  #set(ctx: Context, name: string, value: string, path: string, maxAge: number): void {
    const secure = this.#urls.origin.startsWith('https:');
    // The issuer says what people's browsers speak; behind a proxy the connection that arrives here may say otherwise.
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
