import type { Context } from 'koa';
import type { SecretKeys } from '../../ticket/secret-keys.ts';
import { SignedCookies } from '../request/signed-cookies.ts';
import type { Urls } from '../request/urls.ts';

const NAME = '_qr_passkey';
/** The most accounts that one browser remembers. The oldest one is forgotten first. */
const MOST_ACCOUNTS = 5;
/** Longer than an account trusts a browser, so that a trusted browser is not asked again. */
const LIFETIME_MS = 400 * 24 * 60 * 60 * 1000;
/** A MAC is cut to 96 bits, so that the cookie stays small. */
const MARK_CHARACTERS = 16;

/** Returns the mark of an account. It does not tell which account that is. */
export function markPasskeyAccount(keys: SecretKeys, accountId: string): string {
  return cut(keys.mac('browser passkey', accountId));
}

/**
 * Remembers in a browser for which accounts it was offered a passkey, and whether it has one. Its path is that of the
 * provider, because the policy reads it at the provider's own URLs.
 */
export class PasskeyCookie {
  readonly #signed: SignedCookies;
  readonly #path: string;

  constructor(urls: Urls) {
    this.#signed = new SignedCookies(urls);
    this.#path = urls.base || '/';
  }

  /**
   * Notes that the browser was asked. A note that it has a passkey stays, even if the user declines another passkey.
   */
  note(ctx: Context, mark: string, hasPasskey: boolean): void {
    const entries = this.#entries(ctx);
    const kept = hasPasskey || entries.includes(`y${mark}`);
    const others = entries.filter((entry) => entry.slice(1) !== mark);
    const value = [...others, `${kept ? 'y' : 'n'}${mark}`].slice(-MOST_ACCOUNTS).join('.');
    this.#signed.set(ctx, NAME, value, this.#path, LIFETIME_MS);
  }

  /**
   * Returns true if this browser was asked for this account.
   * @param marks the marks of the account: one made with the present key, and one with each older key
   */
  wasAsked(ctx: Context, marks: readonly Buffer[]): boolean {
    const asked = this.#entries(ctx).map((entry) => entry.slice(1));
    return marks.some((mark) => asked.includes(cut(mark)));
  }

  /** Returns true if the browser has a passkey of any account. */
  hasPasskey(ctx: Context): boolean {
    return this.#entries(ctx).some((entry) => entry.startsWith('y'));
  }

  #entries(ctx: Context): string[] {
    return this.#signed.read(ctx, NAME)?.split('.').filter(Boolean) ?? [];
  }
}

function cut(mark: Buffer): string {
  return mark.toString('base64url').slice(0, MARK_CHARACTERS);
}
