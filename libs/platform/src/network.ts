/**
 * Defines the network that counts as one address. A household or a rented server has a whole IPv6 /64 (RFC 6177), 2^64 addresses. Counted one by one
 * they would be no limit at all, and each would take an entry in memory. A site has a /48, which is 65,536 such networks. IPv4 inside IPv6 (RFC 4291
 * 2.5.5.2) counts as the IPv4 address.
 *
 * Some proxies write the port with the address ("203.0.113.7:40001", "[2001:db8::1]:443"). The caller chooses the port, so it is ignored.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** All text that is no address counts together. A client that can send such text must not get a limit of its own by it, and never none. */
export const unknownNetwork = 'unknown';

/** "192.0.2.1", "2001:db8:0:1::/64", or `unknownNetwork`. */
export const networkOf = (address: string | undefined): string => prefixOf(address, 4);

/** A site's network: "2001:db8:0::/48". Undefined for IPv4, where a site shares one address only. */
export function siteOf(address: string | undefined): string | undefined {
  const site = prefixOf(address, 3);
  return site.endsWith('/48') ? site : undefined;
}

function prefixOf(address: string | undefined, groupCount: number): string {
  const plain = withoutPort(address ?? '');
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return unknownNetwork;
  const groups = groupsOf(plain);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff;
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.');
  const prefix = groups.slice(0, groupCount).map((group) => group.toString(16));
  return `${prefix.join(':')}::/${groupCount * 16}`;
}

/** The address alone: no port, no brackets, and no zone (it names an interface of this machine, RFC 4007 11). */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  const dotted = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(text);
  return (bracketed?.[1] ?? dotted?.[1] ?? text).split('%', 1)[0]!;
}

function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = dotted === null ? address : `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}`;
  const [head = '', tail] = hex.split('::', 2);
  const parse = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return parse(head);
  const [first, last] = [parse(head), parse(tail)];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

const pair = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
