import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';

type CookieName = Parameters<Provider['cookieName']>[0];

/** Koa's cookies with the keys that sign them, which Koa's types leave out. */
interface KeyedCookies {
  readonly keys?: { sign(data: string): string; verify(data: string, signature: string): boolean };
}

/**
 * Returns a cookie's value if its signature is valid, otherwise undefined. Does not use Koa's `signed: true`, which
 * sends a cookie that was signed with an old key again, and with wider attributes than ours.
 */
export function readSignedCookie(cookies: Context['cookies'], name: string): string | undefined {
  const value = cookies.get(name, { signed: false });
  const signature = value && cookies.get(`${name}.sig`, { signed: false });
  const { keys } = cookies as unknown as KeyedCookies;
  if (!value || !signature || keys === undefined) return undefined;
  const data = `${name}=${value}`;
  // Most cookies are signed with the first key, so one HMAC verifies them; `verify` computes three for each key.
  return isSame(keys.sign(data), signature) || keys.verify(data, signature) ? value : undefined;
}

/**
 * Returns the value of one of oidc-provider's cookies, verified with the provider's keys, even if the provider is
 * mounted in a host app.
 */
export function readProviderCookie(provider: Provider, ctx: Context, name: CookieName): string | undefined {
  const isItsOwn: boolean = ctx.app === provider;
  const { cookies } = isItsOwn ? ctx : provider.createContext(ctx.req, ctx.res);
  return readSignedCookie(cookies, provider.cookieName(name));
}

function isSame(signature: string, given: string): boolean {
  const [expected, actual] = [Buffer.from(signature), Buffer.from(given)];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
