/**
 * What is counted as one address. A household or a rented server has a whole IPv6 /64 (RFC 6177), 2^64 addresses: counted one by one they would
 * be no limit at all, and each would be an entry in somebody's memory. IPv4 inside IPv6 (RFC 4291 2.5.5.2) is the IPv4 address.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** "192.0.2.1", "2001:db8:0:1::/64"; '' for what is no address. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address;
  const plain = address.split('%', 1)[0]!;
  if (!isIPv6(plain)) return '';
  const groups = groupsOf(plain);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff;
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
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
