import { BlockList, isIP } from 'node:net';
import Bowser from 'bowser';
import type { Context } from 'koa';
import { BoundedCache } from './bounded-cache.ts';

/** Longer ones are no browser's. */
const LONGEST_USER_AGENT = 512;

/** What a client says it is, where that can be a browser. */
export function userAgentOf(ctx: Context): string | undefined {
  const userAgent = ctx.get('user-agent');
  return userAgent === '' || userAgent.length > LONGEST_USER_AGENT ? undefined : userAgent;
}

/** What else a user agent says may be a sentence, for whoever reads the confirm page. */
const BROWSERS: ReadonlySet<string> = new Set(Object.values<string>(Bowser.BROWSER_MAP));
const SYSTEMS: ReadonlySet<string> = new Set(Object.values<string>(Bowser.OS_MAP));

interface Described {
  readonly name?: string;
  readonly system?: string;
}

const described = new BoundedCache<Described>();

/** What a user agent claims to be, for people to read. It proves nothing. */
export function describeUserAgent(userAgent: string | undefined): Described {
  return userAgent === undefined ? {} : described.getOrCompute(userAgent, describe);
}

function describe(userAgent: string): Described {
  const { browser, os } = Bowser.parse(userAgent);
  return {
    ...(browser.name && BROWSERS.has(browser.name) && { name: browser.name }),
    ...(os.name && SYSTEMS.has(os.name) && { system: os.name }),
  };
}

/** Whether this seems to be a phone, which need not scan itself: what it says of itself (User-Agent Client Hints, section 3.3), or its user agent. */
export function isPhone(ctx: Context): boolean {
  const hint = ctx.get('sec-ch-ua-mobile');
  return hint === '' ? /\bMobi/.test(ctx.get('user-agent')) : hint === '?1';
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
  const address = plain(ctx.ip);
  const version = isIP(address);
  return version === 0 || isPrivate.getOrCompute(address, isInPrivate) ? undefined : address;
}

/** A sign-in asks for the same two addresses again and again. */
const isPrivate = new BoundedCache<boolean>();

function isInPrivate(address: string): boolean {
  return PRIVATE.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Where a request comes from, as far as its sender cannot make it up: to count and to block by. It is the client's address, or
 * that of the outermost proxy that nobody has declared. Of IPv6 it is the network: whoever has one has all addresses in it.
 */
export function sourceOf(ctx: Context): string {
  const { proxy, maxIpsCount } = ctx.app;
  // What the nearest proxy has added itself is true; what stands before it may be the client's own.
  const forwarded = proxy && !maxIpsCount ? ctx.ips.at(-1) : undefined;
  const named = plain(forwarded ?? ctx.ip);
  const address = isIP(named) === 0 ? plain(ctx.req.socket.remoteAddress ?? '') : named;
  return isIP(address) === 6 ? networkOf(address) : address;
}

/** IPv4 as a socket for both kinds shows it, or as it is written in hexadecimal (RFC 4291, section 2.5.5.2). */
function plain(address: string): string {
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return address.replace(/^::ffff:(?=\d+\.)/i, '');
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.');
}

/** The first 64 bits: a site has at least as many addresses (RFC 6177, section 2). */
function networkOf(address: string): string {
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const [before, after] = [head, tail].map((groups) => groups.split(':').filter((group) => group !== ''));
  const groups = [...(before ?? []), ...Array.from({ length: 8 }, () => '0')].slice(0, 8 - (after?.length ?? 0));
  return [...groups, ...(after ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
