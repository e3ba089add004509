/** The site that passkeys are made for (WebAuthn level 3, 4): a host name, and the origins that may ask for its passkeys. */
import { isIP } from 'node:net';

export interface RelyingParty {
  readonly id: string;
  readonly origins: readonly string[];
}

/** @throws RangeError when no origin has a host name: in WebAuthn an IP address cannot be a relying party */
export function relyingParty(origins: readonly string[]): RelyingParty {
  const named = origins.map((origin) => new URL(origin)).filter(({ hostname }) => isIP(hostname.replaceAll(/[[\]]/g, '')) === 0);
  const id = named[0]?.hostname;
  if (id === undefined) throw new RangeError('no origin has a host name');
  return { id, origins: named.filter(({ hostname }) => hostname === id || hostname.endsWith(`.${id}`)).map(({ origin }) => origin) };
}

/** Whether only this machine can reach every origin (RFC 6761 6.3, RFC 5735). Such a shop is tried out, not used by the public. */
export const areLocal = (origins: readonly string[]): boolean =>
  origins.every((origin) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname));
