import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';

type CookieName = Parameters<Provider['cookieName']>[0];

/** What Koa's cookies are signed with; its types leave that out. */
interface Signing {
  readonly keys?: { sign(data: string): string; verify(data: string, signature: string): boolean };
}

/**
 * A cookie whose signature is good. Not by `signed: true` of Koa's own, which sends a signature by an old key anew, and with wider
 * attributes than ours.
 */
export function signedCookie(cookies: Context['cookies'], name: string): string | undefined {
  const value = cookies.get(name, { signed: false });
  const signature = value && cookies.get(`${name}.sig`, { signed: false });
  const { keys } = cookies as unknown as Signing;
  if (!value || !signature || keys === undefined) return undefined;
  const data = `${name}=${value}`;
  // Most are signed with the first key, and found good with one HMAC; `verify` takes three for each key that there is.
  return isSame(keys.sign(data), signature) || keys.verify(data, signature) ? value : undefined;
}

/** One of oidc-provider's own, which its own keys sign, whatever host it is mounted in. */
export function providersCookie(provider: Provider, ctx: Context, name: CookieName): string | undefined {
  const isItsOwn: boolean = ctx.app === provider;
  const { cookies } = isItsOwn ? ctx : provider.createContext(ctx.req, ctx.res);
  return signedCookie(cookies, provider.cookieName(name));
}

function isSame(signature: string, given: string): boolean {
  const [good, came] = [Buffer.from(signature), Buffer.from(given)];
  return good.length === came.length && timingSafeEqual(good, came);
}
