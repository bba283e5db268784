import { lookup as lookUp } from 'node:dns';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';

/** The addresses that are not public: special-purpose blocks of the IANA registries (RFC 6890), and multicast. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Public addresses of IPv6 lie in 2000::/3 (RFC 4291, section 2.4), without these blocks. */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const blocked = new BlockList();
for (const [net, bits] of NOT_PUBLIC_V4) blocked.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of NOT_PUBLIC_V6) blocked.addSubnet(net, bits, 'ipv6');
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** Returns true if an address can be that of a service on the internet. */
export function isPublicAddress(address: string): boolean {
  return isIPv6(address)
    ? global.check(address, 'ipv6') && !blocked.check(address, 'ipv6')
    : !blocked.check(address, 'ipv4');
}

/**
 * Finds the addresses of a host for a connection, and fails if one of them is not public. The connection goes to an
 * address that was checked here, so a second answer of the name server cannot lead it elsewhere.
 */
export const lookUpPublic: LookupFunction = (host, options, callback) => {
  lookUp(host, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) return callback(error ?? refused(host), '');
    if (!addresses.every(({ address }) => isPublicAddress(address))) return callback(refused(host), '');
    if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

function refused(host: string): NodeJS.ErrnoException {
  return new Error(`${host} has an address that is not public`);
}
