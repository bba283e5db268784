import { BlockList, isIP } from 'node:net';
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

/** Addresses that say nothing of who is behind them: a proxy on this machine or in this network has one, too. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('127.0.0.0', 8);
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('169.254.0.0', 16);
PRIVATE.addSubnet('100.64.0.0', 10);
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/**
 * The network address that a request comes from, or undefined where that cannot be told for sure: it is a private one
 * (RFC 1918, RFC 4193; RFC 6598 for carriers), which may be a proxy's that the deployment did not declare; or a declared proxy sent several and
 * the deployment did not say how many proxies it has (`app.maxIpsCount`), so that a client might have made the first up.
 */
export function addressOf(ctx: Context): string | undefined {
  const { proxy, maxIpsCount } = ctx.app;
  if (proxy && ctx.ips.length > 1 && !maxIpsCount) return undefined;
  if (!proxy && (ctx.get('x-forwarded-for') || ctx.get('forwarded'))) return undefined;
  // IPv4 as a socket for both kinds shows it (RFC 4291, section 2.5.5.2).
  const address = ctx.ip.replace(/^::ffff:/i, '');
  const version = isIP(address);
  if (version === 0 || PRIVATE.check(address, version === 4 ? 'ipv4' : 'ipv6')) return undefined;
  return address;
}
