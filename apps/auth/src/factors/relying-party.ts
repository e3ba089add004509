/** The site that passkeys are made for (WebAuthn level 3, 4): a host name, and the origins that may ask for its passkeys. */
import { isIP } from 'node:net';

export interface RelyingParty {
  readonly id: string;
  readonly origins: readonly string[];
}

/** @throws RangeError where no origin has a name: WebAuthn knows no relying party that is an IP address */
export function relyingParty(origins: readonly string[]): RelyingParty {
  const named = origins.map((origin) => new URL(origin)).filter(({ hostname }) => isIP(hostname.replaceAll(/[[\]]/g, '')) === 0);
  const id = named[0]?.hostname;
  if (id === undefined) throw new RangeError('no origin has a host name');
  return { id, origins: named.filter(({ hostname }) => hostname === id || hostname.endsWith(`.${id}`)).map(({ origin }) => origin) };
}

/** Whether every origin is one that only this machine reaches (RFC 6761 6.3, RFC 5735): a shop that somebody tries, not one that people use. */
export const areLocal = (origins: readonly string[]): boolean =>
  origins.every((origin) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(origin).hostname));
