/**
 * Reads our cookies from the raw Cookie header, and writes them.
 *
 * Two cookies of one name are refused. A sibling host or another path can plant the second (cookie tossing), so an attacker may have chosen
 * the one that a parser picks. Only our own names are judged; other cookies on this host are ignored.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { NewToken } from '../http-exchange.ts';

export const sessionCookie = '__Host-session';
/** A self-contained session (modes jwt and jwt-denylist) has two cookies: a signed access token, and the refresh token that renews it. */
export const accessCookie = '__Host-access';
export const refreshCookie = '__Host-refresh';
export const consistencyCookie = 'consistency';
/** Marks a browser that has proved an account's password once; auth counts its failures apart. It is no session: signing out leaves it. */
export const knownDeviceCookie = '__Host-known-device';
/** The longest that browsers keep a cookie (RFC 6265bis 5.5); auth forgets a device earlier, half a year after its last sign-in. */
const knownDeviceMaxAgeS = 400 * 86_400;
/** A consistency token helps for the seconds that a view lags; a minute is plenty. */
const consistencyMaxAgeS = 60;

export interface OurCookies {
  readonly session: string | undefined;
  readonly access: string | undefined;
  readonly refresh: string | undefined;
  readonly consistency: string | undefined;
  readonly knownDevice: string | undefined;
}

/** @param header the Cookie header as received; several header lines come joined by "; " (Node) */
export function readCookies(header: string | undefined): OurCookies | Problem {
  const found = new Map<string, string>();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const name = trimmed(pair.slice(0, at));
    const ours = canonicalName(name);
    if (ours === undefined) continue;
    if (found.has(ours)) return problem('ambiguous_cookies', `Two cookies named ${ours}.`);
    // A look-alike name counts for ambiguity, but never as the cookie itself.
    found.set(ours, name === ours ? trimmed(pair.slice(at + 1)) : '');
  }
  return {
    session: nonEmpty(found.get(sessionCookie)),
    access: nonEmpty(found.get(accessCookie)),
    refresh: nonEmpty(found.get(refreshCookie)),
    consistency: nonEmpty(found.get(consistencyCookie)),
    knownDevice: nonEmpty(found.get(knownDeviceCookie)),
  };
}

/**
 * Strips spaces and tabs only, as browsers do. `trim()` would also strip a no-break space. A sibling host may plant a cookie whose name
 * begins with one, because browsers see no `__Host-` in it.
 */
function trimmed(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start++;
  // No regular expression: `[ \t]+$` takes quadratic time on a header of blanks.
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

/** Browsers compare cookie names exactly, but the prefix rule case-insensitively (RFC 6265bis 4.1.3): `__host-SESSION` is a planted twin. */
function canonicalName(name: string): string | undefined {
  return ourNames.get(name.toLowerCase());
}

const ourNames: ReadonlyMap<string, string> = new Map(
  [sessionCookie, accessCookie, refreshCookie, consistencyCookie, knownDeviceCookie].map((name) => [name.toLowerCase(), name]),
);

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** @param maxAgeS the session's absolute limit: a browser forgets the cookie no earlier than auth forgets the session */
export function sessionSetCookie(token: string, maxAgeS: number): string {
  return `${sessionCookie}=${token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${Math.max(0, Math.floor(maxAgeS))}`;
}

export function consistencySetCookie(token: string): string {
  return `${consistencyCookie}=${token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${consistencyMaxAgeS}`;
}

/** Strict: a link from elsewhere needs no known device, only our own page's sign-in does. */
export function knownDeviceSetCookie(cookie: string): string {
  return `${knownDeviceCookie}=${cookie}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${knownDeviceMaxAgeS}`;
}

/**
 * Yields the cookies of a session that begins, or goes on under new tokens. If a session begins while the browser shows one of the other
 * kind, the old cookies are cleared, because the person has just replaced that session. Only this and logout clear a cookie; a renewal never
 * does.
 */
export function* tokenCookies(issued: NewToken, nowMs: number, shown: OurCookies | undefined): Generator<string> {
  const cookie = (name: string, value: string, untilMs: number): string =>
    `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${Math.max(0, Math.floor((untilMs - nowMs) / 1000))}`;
  if (issued.selfContained === undefined) {
    yield sessionSetCookie(issued.text, (issued.expiresAtMs - nowMs) / 1000);
    if (shown?.access !== undefined) yield cleared(accessCookie);
    if (shown?.refresh !== undefined) yield cleared(refreshCookie);
    return;
  }
  yield cookie(accessCookie, issued.selfContained.access, issued.selfContained.accessExpiresAtMs);
  yield cookie(refreshCookie, issued.text, issued.expiresAtMs);
  if (shown?.session !== undefined) yield cleared(sessionCookie);
}

const cleared = (name: string): string => `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;

/** Sent by logout alone: a late answer to an old token must not erase the new one. */
export const clearedCookies: readonly string[] = [sessionCookie, accessCookie, refreshCookie, consistencyCookie].map(cleared);
