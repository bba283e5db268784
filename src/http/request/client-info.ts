import { BlockList, isIP } from 'node:net';
import Bowser from 'bowser';
import type { Context } from 'koa';
import type { PhoneDevice } from '../../ticket/ticket.ts';
import { BoundedCache } from './bounded-cache.ts';

/** The longest accepted user agent, in characters. Browsers send shorter ones. */
const MAX_USER_AGENT_LENGTH = 512;

/** Returns the User-Agent header; undefined if there is none, or if it is too long to be a browser's. */
export function userAgentOf(ctx: Context): string | undefined {
  const userAgent = ctx.get('user-agent');
  return userAgent === '' || userAgent.length > MAX_USER_AGENT_LENGTH ? undefined : userAgent;
}

/**
 * The names that may be shown. The rest of a user agent can be any text, such as a sentence that is meant to mislead
 * the user on the confirm page.
 */
const BROWSERS: ReadonlySet<string> = new Set(Object.values<string>(Bowser.BROWSER_MAP));
const SYSTEMS: ReadonlySet<string> = new Set(Object.values<string>(Bowser.OS_MAP));

interface AgentDescription {
  readonly name?: string;
  readonly system?: string;
}

const descriptions = new BoundedCache<AgentDescription>();

/** Returns the browser and the system that a user agent claims to be, for display. It proves nothing. */
export function describeUserAgent(userAgent: string | undefined): AgentDescription {
  return userAgent === undefined ? {} : descriptions.getOrCompute(userAgent, describe);
}

/** Returns the phone that sent a request, as the browser's page names it; undefined if nothing is known of it. */
export function phoneDeviceOf(ctx: Context): PhoneDevice | undefined {
  const device = describeUserAgent(userAgentOf(ctx));
  return device.name === undefined && device.system === undefined ? undefined : device;
}

function describe(userAgent: string): AgentDescription {
  const { browser, os } = Bowser.parse(userAgent);
  return {
    ...(browser.name && BROWSERS.has(browser.name) && { name: browser.name }),
    ...(os.name && SYSTEMS.has(os.name) && { system: os.name }),
  };
}

/**
 * Returns true if the client seems to be a phone, which cannot scan its own screen: by its `Sec-CH-UA-Mobile` header
 * (User-Agent Client Hints, section 3.3), or without one by its user agent.
 */
export function isPhone(ctx: Context): boolean {
  const hint = ctx.get('sec-ch-ua-mobile');
  return hint === '' ? /\bMobi/.test(ctx.get('user-agent')) : hint === '?1';
}

/**
 * The addresses that do not identify a client, because a proxy on this machine or in this network may have one of them.
 */
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
 * Returns the network address that a request comes from, or undefined if it is not certain:
 *
 * - It is private (RFC 1918, RFC 4193; RFC 6598 for carriers), so it may be that of a proxy that the deployment did not
 *   declare.
 * - A header shows that there is such a proxy.
 * - A declared proxy sent several addresses, and the deployment did not say how many proxies it has
 *   (`app.maxIpsCount`), so the client may have made up the first one.
 */
export function addressOf(ctx: Context): string | undefined {
  const { proxy, maxIpsCount } = ctx.app;
  if (proxy && ctx.ips.length > 1 && !maxIpsCount) return undefined;
  if (!proxy && hasUndeclaredProxy(ctx)) return undefined;
  const address = normalizeAddress(ctx.ip);
  const version = isIP(address);
  return version === 0 || privateAddresses.getOrCompute(address, isInPrivate) ? undefined : address;
}

/** Headers that proxies, balancers and content delivery networks add. */
const PROXY_HEADERS = [
  'x-forwarded-for',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'fastly-client-ip',
];
/** The Koa apps for which the warning was emitted. */
const warned = new WeakSet<object>();

/** Returns true if a header shows a proxy that the deployment did not declare, and warns once for each Koa app. */
function hasUndeclaredProxy(ctx: Context): boolean {
  const header = PROXY_HEADERS.find((name) => ctx.get(name) !== '');
  if (header === undefined) return false;
  if (!warned.has(ctx.app)) {
    warned.add(ctx.app);
    process.emitWarning(
      `a request has the header ${header}, but provider.proxy is not set: no network address is known, and all users behind that proxy share their limits; set provider.proxy and provider.maxIpsCount`,
      { type: 'QrLoginWarning', code: 'QR_LOGIN_PROXY' },
    );
  }
  return true;
}

/** The results for the latest addresses, because a sign-in checks the same two addresses again and again. */
const privateAddresses = new BoundedCache<boolean>();

function isInPrivate(address: string): boolean {
  return PRIVATE.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Returns the source of a request as far as its sender cannot forge it, to count and to block by: the client's address,
 * or that of the nearest proxy that the deployment did not declare. For IPv6 it is the network, because a client has
 * all addresses of its network.
 */
export function sourceOf(ctx: Context): string {
  const { proxy, maxIpsCount } = ctx.app;
  // The address that the nearest proxy added is true. Those before it may be made up by the client.
  const forwarded = proxy && !maxIpsCount ? ctx.ips.at(-1) : undefined;
  const named = normalizeAddress(forwarded ?? ctx.ip);
  const address = isIP(named) === 0 ? normalizeAddress(ctx.req.socket.remoteAddress ?? '') : named;
  return isIP(address) === 6 ? networkOf(address) : address;
}

/** An address with a port, as some proxies write it (RFC 7239, section 6): `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

/**
 * Returns an address without a port, and with IPv4 in its usual form, also if a dual-stack socket gives it as IPv6, or
 * if it is written in hexadecimal (RFC 4291, section 2.5.5.2).
 */
function normalizeAddress(written: string): string {
  const [, v6, v4] = WITH_PORT.exec(written) ?? [];
  const address = v6 ?? v4 ?? written;
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return address.replace(/^::ffff:(?=\d+\.)/i, '');
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]).join('.');
}

/** Returns the first 64 bits of an IPv6 address. A site has at least a /64 (RFC 6177, section 2). */
function networkOf(address: string): string {
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const [before, after] = [head, tail].map((groups) => groups.split(':').filter((group) => group !== ''));
  const groups = [...(before ?? []), ...Array.from({ length: 8 }, () => '0')].slice(0, 8 - (after?.length ?? 0));
  return [...groups, ...(after ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
