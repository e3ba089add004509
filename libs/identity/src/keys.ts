/**
 * Auth's public keys, in every process that verifies. Auth publishes a key before it signs with it, so an unknown kid is rare. The ring then fetches
 * the set again, at most once a second for all callers together: a flood of invented kids costs one call a second. A key that a fetch no longer lists
 * is dropped. A retired key stays refused even if an older answer still lists it (Storm-0558: a retired key lived on in caches).
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isProblem, type Problem } from '@cloakroom/contracts';
import { type Clock, type Logger, systemClock } from '@cloakroom/platform';
import type { KeyRing } from './identity.ts';
import type { JwsAlgorithm } from './jws.ts';

const refreshIntervalMinMs = 1_000;
/** Auth answers in milliseconds; a caller's own deadline is not much longer than this. */
const fetchTimeoutMs = 1_500;
/** Finds rotations and removals that no revocation announced. */
const refreshIntervalMaxMs = 60_000;
/** Until the first success, since auth may start after this process. */
const firstRetryMs = 500;
/** Services start in any order, so a first failure is not worth a log line. Two seconds of failures are. */
const warnEvery = 4;
/** auth publishes at most 16 keys an algorithm. More than this means that auth is broken. */
const keyCountMax = 64;
const retiredCountMax = 1_000;
/** How long a kid that auth did not list counts as missing without asking. A feed read back after an emergency holds hundreds of such records. */
const missingMs = 10_000;
/** Strangers choose the kids, so the list is bounded: the oldest gives way. */
const missingCountMax = 1_000;

export interface OpenKeyRing extends KeyRing {
  /** Resolves at the first successful fetch. */
  readonly ready: Promise<void>;
  stop(): void;
}

/**
 * Opens at once and fetches in the background, since services start in any order.
 * @param fetchJwks answers with a JWK Set (RFC 7517) as JSON, or with why not
 */
export function openKeyRing(options: {
  readonly fetchJwks: () => Promise<string | Problem>;
  readonly log: Logger;
  readonly clock?: Clock;
}): OpenKeyRing {
  const { fetchJwks, log, clock = systemClock } = options;
  let live: ReadonlyMap<string, KeyObject> = new Map();
  const retired = new Set<string>();
  const missingUntilMs = new Map<string, number>();
  let lastStartMs = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | undefined;
  let loaded!: () => void;
  const ready = new Promise<void>((resolve) => (loaded = resolve));

  const load = async (): Promise<void> => {
    const waitMs = lastStartMs + refreshIntervalMinMs - clock.monotonicMs();
    if (waitMs > 0) await pause(waitMs);
    lastStartMs = clock.monotonicMs();
    const jwks = await withTimeout(fetchJwks(), fetchTimeoutMs);
    if (typeof jwks !== 'string') throw new Error(`keys: ${isProblem(jwks) ? jwks.problem : 'no answer'}`);
    live = mergeKeys(parseJwks(jwks), live);
  };

  const fetchOnce = (): Promise<void> => {
    pending ??= load()
      .finally(() => (pending = undefined))
      .then(loaded);
    return pending;
  };

  const refresh = async (kid?: string): Promise<void> => {
    const askedMs = clock.monotonicMs();
    if (kid !== undefined && (retired.has(kid) || askedMs < (missingUntilMs.get(kid) ?? Number.NEGATIVE_INFINITY))) return;
    await fetchOnce();
    if (kid === undefined || live.has(kid)) return;
    // That fetch may have begun before the key was made. A record signed by the new key must not count as forged.
    if (lastStartMs < askedMs) await fetchOnce();
    if (live.has(kid)) return;
    remember(missingUntilMs, kid, clock.monotonicMs() + missingMs);
  };

  const stop = keepFresh(refresh, () => live.size > 0, log);
  return {
    ready,
    find: (kid) => (retired.has(kid) ? undefined : live.get(kid)),
    refresh,
    retire(kid) {
      if (retired.size >= retiredCountMax) retired.delete(retired.values().next().value!);
      retired.add(kid);
    },
    stop,
  };
}

/** @returns the function that stops it */
function keepFresh(refresh: () => Promise<void>, hasKeys: () => boolean, log: Logger): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let failures = 0;
  const again = (delayMs: number): void => {
    if (!stopped) timer = setTimeout(round, delayMs).unref();
  };
  const round = (): void => {
    refresh().then(
      () => again(refreshIntervalMaxMs),
      (error: unknown) => {
        failures += 1;
        if (failures % warnEvery === 0) log.warn({ err: error, failures }, 'the signing keys of auth cannot be fetched');
        again(hasKeys() ? refreshIntervalMaxMs : firstRetryMs);
      },
    );
  };
  round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** The public members of each algorithm's JWK (RFC 7518 6.2.1, RFC 8037 2). */
const forms: readonly { readonly alg: JwsAlgorithm; readonly kty: string; readonly crv: string; readonly members: readonly string[] }[] = [
  { alg: 'ES256', kty: 'EC', crv: 'P-256', members: ['kty', 'crv', 'x', 'y'] },
  { alg: 'Ed25519', kty: 'OKP', crv: 'Ed25519', members: ['kty', 'crv', 'x'] },
];

/**
 * Takes signing keys for ES256 and Ed25519. A key of another kind is skipped: a later build of auth may publish one.
 * @throws Error when the answer is not a JWK Set or holds none
 */
export function parseJwks(jwks: string): ReadonlyMap<string, KeyObject> {
  const set = JSON.parse(jwks) as { keys?: unknown };
  if (!Array.isArray(set.keys)) throw new Error('keys: not a JWK Set');
  const keys = new Map<string, KeyObject>();
  for (const jwk of set.keys as Record<string, unknown>[]) {
    const form = forms.find(({ kty, crv }) => jwk['kty'] === kty && jwk['crv'] === crv);
    if (form === undefined || typeof jwk['kid'] !== 'string') continue;
    if ((jwk['alg'] ?? form.alg) !== form.alg || (jwk['use'] ?? 'sig') !== 'sig') continue;
    const key = Object.fromEntries(form.members.map((member) => [member, jwk[member]])) as JsonWebKey;
    keys.set(jwk['kid'], createPublicKey({ key, format: 'jwk' }));
  }
  if (keys.size === 0 || keys.size > keyCountMax) throw new Error(`keys: ${keys.size} usable keys`);
  return keys;
}

/** Keeps the object of an unchanged key, because verified passports are remembered with it. */
function mergeKeys(fetched: ReadonlyMap<string, KeyObject>, known: ReadonlyMap<string, KeyObject>): ReadonlyMap<string, KeyObject> {
  return new Map([...fetched].map(([kid, key]) => [kid, known.get(kid)?.equals(key) === true ? known.get(kid)! : key]));
}

function remember(missingUntilMs: Map<string, number>, kid: string, untilMs: number): void {
  missingUntilMs.delete(kid);
  if (missingUntilMs.size >= missingCountMax) missingUntilMs.delete(missingUntilMs.keys().next().value!);
  missingUntilMs.set(kid, untilMs);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), timeoutMs).unref()));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
