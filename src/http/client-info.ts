import Bowser from 'bowser';
import type { Context } from 'koa';

/** Longer ones are no browser's. */
const LONGEST_USER_AGENT = 512;

/** What a user agent claims to be, for people to read. It proves nothing. */
export function describeUserAgent(userAgent: string): { name?: string; system?: string } {
  if (userAgent === '' || userAgent.length > LONGEST_USER_AGENT) return {};
  const { browser, os } = Bowser.parse(userAgent);
  return {
    ...(browser.name && { name: browser.name }),
    ...(os.name && { system: os.name }),
  };
}

/**
 * The network address that a request comes from, or undefined where that cannot be told for sure: there is a proxy
 * that the deployment did not declare, or there are several and it did not say how many (`app.maxIpsCount`), so that a
 * client might have made the first entry up.
 */
export function addressOf(ctx: Context): string | undefined {
  const { proxy, maxIpsCount } = ctx.app;
  if (!proxy) return ctx.get('x-forwarded-for') || ctx.get('forwarded') ? undefined : ctx.ip;
  if (ctx.ips.length > 1 && !maxIpsCount) return undefined;
  return ctx.ip;
}
