/**
 * Who a request is from, whatever kind of cookie says so.
 *
 * A browser may show both kinds at once, when answers to two of its tabs crossed. The self-contained session wins, since a sign-in sets it and a late
 * first cart write can leave a guest's cookie beside it; a self-contained one that never was ours counts as none, and the other is looked at. One that
 * is over is said to be over: falling back to a guest in silence is what this shop never does. The next sign-in or sign-out tidies up.
 */
import { type Problem, problem, signedTokenLengthMax } from '@cloakroom/contracts';
import { type MacKeys, readRefreshToken } from '@cloakroom/session';
import { identifySelfContained } from './identify-self-contained-token.ts';
import { selfContainedHash } from './self-contained-tokens.ts';
import type { OurCookies } from './cookies.ts';
import type { BrowserToken, Exchange, Person } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { identify, type IdentityNeed, readToken } from './identify-reference-token.ts';

const accessPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What the browser shows, by its form and, where this gateway has the key, its seal. */
export function readShown(cookies: OurCookies, keys: MacKeys): BrowserToken | undefined {
  const opaque = readToken(cookies.session, keys);
  const parts = readRefreshToken(cookies.refresh);
  const refresh = parts && { text: cookies.refresh!, parts };
  const access =
    cookies.access !== undefined && cookies.access.length <= signedTokenLengthMax && accessPattern.test(cookies.access)
      ? cookies.access
      : undefined;
  if (refresh === undefined && access === undefined) return opaque;
  const text = refresh?.text ?? access!;
  const selfContained = { access, refresh, ...(opaque !== undefined && { beside: opaque }) };
  return { text, hash: '', selfContained };
}

/** @returns undefined: no session was ever shown; 'ended': it is over; 'stale': see identify-self-contained-token.ts */
export async function whoIs(x: Exchange, need: IdentityNeed, gateway: Gateway): Promise<Person | 'ended' | 'stale' | undefined | Problem> {
  const selfContained = x.token?.selfContained;
  if (selfContained === undefined) return identify(x, need, gateway.identities, gateway.resolve);
  const found = await identifySelfContained(x, selfContained, need, gateway);
  if (found !== undefined || selfContained.beside === undefined) return found;
  x.renewal.token = selfContained.beside;
  return identify({ ...x, token: selfContained.beside }, need, gateway.identities, gateway.resolve);
}

/** For a live stream, which can renew nothing: it ends, and the browser opens it again with a request that can. */
export async function whoIsStill(x: Exchange, gateway: Gateway): Promise<Person | 'ended' | undefined | Problem> {
  const found = await whoIs(x, { audience: 'cart', sensitive: false, touch: false, refresh: false }, gateway);
  return found === 'stale' ? problem('identity_unavailable') : found;
}

/**
 * This gateway itself saw the token die: nobody here needs to wait for the feed. Of a refresh token only the form was read here, and a handle is
 * no secret: unless auth says that it made the token, somebody else's session would end by it.
 * @param own what auth said of the token when it ended its session
 */
export function leave(gateway: Gateway, token: BrowserToken | undefined, own: boolean): void {
  if (token?.selfContained === undefined) {
    if (token !== undefined) gateway.identities.bury(token.hash);
    return;
  }
  const { refresh, beside } = token.selfContained;
  if (own && refresh !== undefined) {
    gateway.identities.bury(selfContainedHash(refresh.parts));
    gateway.selfContained.end(refresh.parts.handle);
  }
  leave(gateway, beside, true);
}
