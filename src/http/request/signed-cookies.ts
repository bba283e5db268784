import type { Context } from 'koa';
import { readSignedCookie } from '../../oidc/signed-cookie.ts';
import type { Urls } from './urls.ts';

/** Browsers take a cookie with this prefix only over https, and only with `Secure` (RFC 6265bis, section 4.1.3.1). */
const SECURE_PREFIX = '__Secure-';
/** A cookie with this prefix can only be set by this very host: not by one of another subdomain (section 4.1.3.2). */
const HOST_PREFIX = '__Host-';

/**
 * Reads and sets cookies: signed, HttpOnly, and Secure if the issuer is https. Under https, their names begin with
 * `__Secure-`, so that a browser takes them only over https (ASVS 5.0, V3.3.1). Only cookies that must not come from
 * another subdomain have the prefix `__Host-` instead, because it demands the path `/`.
 */
export class SignedCookies {
  readonly #isSecure: boolean;

  constructor(urls: Urls) {
    this.#isSecure = urls.origin.startsWith('https:');
  }

  /** Reads a cookie, also without its prefix, which older releases did not set on cookies that last up to 180 days. */
  read(ctx: Context, name: string): string | undefined {
    const value = this.#isSecure ? readSignedCookie(ctx.cookies, SECURE_PREFIX + name) : undefined;
    return value ?? readSignedCookie(ctx.cookies, name);
  }

  /** Reads a cookie that {@link setForHost} has set. */
  readForHost(ctx: Context, name: string): string | undefined {
    return readSignedCookie(ctx.cookies, this.#isSecure ? HOST_PREFIX + name : name);
  }

  /**
   * Sets a cookie that another subdomain cannot plant, if the issuer is https.
   * @param path the path of the cookie if the issuer is not https; otherwise it is `/`
   * @param maxAge in milliseconds
   */
  setForHost(ctx: Context, name: string, value: string, path: string, maxAge: number): void {
    const [prefix, scope] = this.#isSecure ? [HOST_PREFIX, '/'] : ['', path];
    if (this.#isSecure) ctx.cookies.secure = true;
    ctx.cookies.set(prefix + name, value, { ...this.#attributes, path: scope, maxAge, overwrite: true });
  }

  /** Sets a cookie. @param maxAge in milliseconds; 0 removes the cookie */
  set(ctx: Context, name: string, value: string, path: string, maxAge: number): void {
    this.setOnPaths(ctx, name, value, [path], maxAge);
  }

  /** Sets the same cookie on each of several paths, for the case that no parent path contains only these. */
  setOnPaths(ctx: Context, name: string, value: string, paths: readonly string[], maxAge: number): void {
    // Only the first cookie replaces those that this answer has already set under the name. If the second one did so,
    // too, it would replace the first.
    for (const [index, path] of paths.entries()) this.#set(ctx, name, value, { path, maxAge, overwrite: index === 0 });
  }

  #set(
    ctx: Context,
    name: string,
    value: string,
    { path, maxAge, overwrite }: { readonly path: string; readonly maxAge: number; readonly overwrite: boolean },
  ): void {
    const options = { ...this.#attributes, path, overwrite };
    // Behind a proxy, the connection that arrives here may be http although the issuer is https.
    if (this.#isSecure) ctx.cookies.secure = true;
    // The new name replaces the one that an older release has set.
    if (this.#isSecure && ctx.cookies.get(name, { signed: false }) !== undefined) ctx.cookies.set(name, '', options);
    ctx.cookies.set(this.#isSecure ? SECURE_PREFIX + name : name, value, { ...options, maxAge });
  }

  get #attributes(): { secure: boolean; signed: true; httpOnly: true; sameSite: 'lax' } {
    return { secure: this.#isSecure, signed: true, httpOnly: true, sameSite: 'lax' };
  }
}
