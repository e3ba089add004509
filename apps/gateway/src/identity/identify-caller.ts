/**
 * Identifies the caller, whichever kind of cookie the request carries.
 *
 * A browser may show both kinds at once, when answers to two of its tabs crossed. The self-contained session wins: a sign-in sets it, and a
 * late first cart write can leave a guest's cookie beside it. A self-contained token that never was ours counts as none, and the gateway
 * looks at the other cookie. A self-contained session that is over is reported as ended: this shop never falls back to a guest silently. The
 * next sign-in or sign-out tidies up.
 */
import { isProblem, type Problem, problem, signedTokenLengthMax } from '@cloakroom/contracts';
import { type MacKeys, readRefreshToken } from '@cloakroom/session';
import { claimedRegion } from '@cloakroom/identity';
import { fromHome, homeOf, isAbroad, unlessSilent } from './home-region.ts';
import { identifySelfContained } from './identify-self-contained-token.ts';
import { selfContainedHash } from './self-contained-tokens.ts';
import type { OurCookies } from './cookies.ts';
import type { BrowserToken, Exchange, Person } from '../http-exchange.ts';
import type { IdentityParts, RegionIdentity } from '../gateway.ts';
import { identify, type IdentityNeed, readToken } from './identify-reference-token.ts';

const accessPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Reads the token that the browser shows, by its form and, where this gateway has the key, by its seal. */
export function readShown(cookies: OurCookies, keys: MacKeys): BrowserToken | undefined {
  const opaque = readToken(cookies.session, keys);
  const parts = cookies.refresh === undefined ? undefined : readRefreshToken(cookies.refresh);
  const refresh = parts && { text: cookies.refresh!, parts };
  const access =
    cookies.access !== undefined && cookies.access.length <= signedTokenLengthMax && accessPattern.test(cookies.access)
      ? cookies.access
      : undefined;
  if (refresh === undefined && access === undefined) return opaque;
  const text = refresh?.text ?? access!;
  const selfContained = { access, refresh, ...(opaque !== undefined && { beside: opaque }) };
  // Unverified, as all of it is here: it only chooses who judges the token.
  const region = refresh?.parts.region ?? claimedRegion(text) ?? '';
  return { text, region, hash: '', selfContained };
}

/** @returns undefined: no session was ever shown; 'ended': it is over; 'stale': see identify-self-contained-token.ts */
export async function identifyCaller(
  exchange: Exchange,
  need: IdentityNeed,
  gateway: IdentityParts,
): Promise<Person | 'ended' | 'stale' | undefined | Problem> {
  const selfContained = exchange.token?.selfContained;
  if (selfContained === undefined) return identifyAtHome(exchange, need, gateway);
  const found = await identifyAtHome(exchange, need, gateway);
  if (found !== undefined || selfContained.beside === undefined) return found;
  exchange.renewal.token = selfContained.beside;
  return identifyAtHome({ ...exchange, token: selfContained.beside }, need, gateway);
}

type Found = Person | 'ended' | 'stale' | undefined | Problem;

/** A token of a region that nobody here knows counts as none. */
async function identifyAtHome(exchange: Exchange, need: IdentityNeed, gateway: IdentityParts): Promise<Found> {
  const home = homeOf(gateway, exchange.token);
  if (home === undefined) return identify({ ...exchange, token: undefined }, need, gateway.identities, gateway.resolve);
  if (!isAbroad(home)) return identifyBy(home, exchange, need);
  const found = await identifyBy(home, exchange, need);
  if (found === undefined || typeof found === 'string') return found;
  const person = isProblem(found) ? found : fromHome(found, home);
  return isProblem(person) ? unlessSilent(person, home.region) : person;
}

function identifyBy(parts: RegionIdentity, exchange: Exchange, need: IdentityNeed): Promise<Found> {
  const selfContained = exchange.token?.selfContained;
  if (selfContained === undefined) return identify(exchange, need, parts.identities, parts.resolve);
  return identifySelfContained(exchange, selfContained, need, parts);
}

/** For a live stream, which cannot renew a token: it ends, and the browser opens the next one by a request that can. */
export async function identifyAgain(exchange: Exchange, gateway: IdentityParts): Promise<Person | 'ended' | undefined | Problem> {
  const found = await identifyCaller(exchange, { audience: 'cart', sensitive: false, touch: false, refresh: false }, gateway);
  return found === 'stale' ? problem('identity_unavailable') : found;
}

/**
 * Forgets a token that this gateway saw die, without waiting for the feed. The gateway read only the form of a refresh token, and a handle is
 * no secret. So it forgets a self-contained session only if auth says that it made the token. Otherwise a forged token would end somebody
 * else's session.
 * @param own whether auth, when it ended the session, said that it made this token
 */
export function leave(gateway: IdentityParts, token: BrowserToken | undefined, own: boolean): void {
  const home = homeOf(gateway, token);
  if (token?.selfContained === undefined) {
    if (token !== undefined) home?.identities.forgetToken(token.hash);
    return;
  }
  const { refresh, beside } = token.selfContained;
  if (own && refresh !== undefined) {
    home?.identities.forgetToken(selfContainedHash(refresh.parts));
    home?.selfContained.end(refresh.parts.handle);
  }
  leave(gateway, beside, true);
}
