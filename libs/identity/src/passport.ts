/**
 * The passport says for whom a call inside the mesh is made. Auth signs it for exactly one service and at most 60 s. It is modelled on OAuth
 * Transaction Tokens (draft-ietf-oauth-transaction-tokens), which fix the audience to a trust domain; ours is narrower. The verifier checks a
 * signature once and remembers it by the passport's bytes. It checks age, key and revocations at every use, because they can change. So the cache
 * never lengthens a life. The end of a passport has no leeway, since its life is short and renewal is cheap. The start has one second of leeway, for
 * clocks that differ.
 */
import type { KeyObject } from 'node:crypto';
import { problem, type Problem, subjectPattern } from '@cloakroom/contracts';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { createAccessTokenVerifier } from './access-token.ts';
import type { Clock } from '@cloakroom/platform';
import { refusedBy, type VerifiedIdentity } from '@cloakroom/mesh';
import type { KeyRing, RevocationFeed } from './identity.ts';
import { type JwsAlgorithm, parseStrictObject, signJws, type SigningKey, verifyJws } from './jws.ts';
import { refusedPassports, verifiedAlgorithms } from './passport.metrics.ts';

export const passportIssuer = 'cloakroom-auth';
export const passportType = 'passport+jwt';
export const passportLifetimeMaxS = 60;
/** A verifier takes both at any time. The operator chooses which one auth signs with (docs/keys.md). */
export const passportAlgorithms: readonly JwsAlgorithm[] = ['ES256', 'Ed25519'];
for (const algorithm of passportAlgorithms) verifiedAlgorithms.set({ algorithm }, 1);
/** NTP keeps machines of one site within this. A larger difference means a passport that was dated from the future on purpose. */
const clockSkewMaxMs = 1_000;
/** About 1.5 KB an entry, so 15 MB at most. With fewer live sessions a replica, every request after the first is a hit. */
const cacheCountMax = 10_000;
/** RFC 8693 4.1 nests one level for each actor. A request that passed through more services than this has gone astray. */
export const actorCountMax = 3;
/** Enough for all methods of the largest contract, with room to spare. */
const scopeLengthMax = 2_048;

/** Times in seconds since 1970, fractions allowed (RFC 7519 NumericDate). */
export interface PassportClaims {
  readonly iss: typeof passportIssuer;
  /** Exactly one service: "cart". */
  readonly aud: string;
  readonly sub: string;
  /** The session's handle, never a token. */
  readonly sid: string;
  readonly epoch: number;
  readonly gepoch: number;
  readonly state: 'guest' | 'user';
  readonly acr: string;
  readonly amr: readonly string[];
  /** 0 for a guest. */
  readonly auth_time: number;
  readonly txn: string;
  readonly act?: Actor | undefined;
  /** Present exactly when `act` is: the methods that the passport is good for, as RFC 8693 4.2 writes a scope. Without it the policies decide. */
  readonly scope?: string | undefined;
  readonly region: string;
  readonly iat: number;
  readonly exp: number;
}

export interface Actor {
  readonly sub: string;
  readonly act?: Actor | undefined;
}

const name = z.string().min(1).max(128);
const time = z.number().nonnegative().max(9_007_199_254_740);
const actor: z.ZodType<Actor> = z.object({ sub: name, act: z.lazy(() => actor).optional() });
/** "cloakroom.cart.v1.CartService/GetCart"; several are separated by one space. */
const scopePattern = /^[A-Za-z0-9_.]+\/[A-Za-z0-9_]+( [A-Za-z0-9_.]+\/[A-Za-z0-9_]+)*$/;
const claimsSchema = z
  .object({
    iss: z.literal(passportIssuer),
    aud: name,
    sub: z.string().regex(subjectPattern),
    sid: name,
    epoch: z.number().nonnegative(),
    gepoch: z.number().nonnegative(),
    state: z.enum(['guest', 'user']),
    acr: z.string().max(64),
    amr: z.array(z.string().max(64)).max(8),
    auth_time: time,
    txn: name,
    act: actor.optional(),
    scope: z.string().regex(scopePattern).max(scopeLengthMax).optional(),
    region: name,
    iat: time,
    exp: time,
  })
  .refine((claims) => (claims.act === undefined) === (claims.scope === undefined))
  .refine((claims) => claims.sub.startsWith(claims.state === 'user' ? 'u_' : 'g_'))
  .refine((claims) => claims.exp > claims.iat && claims.exp - claims.iat <= passportLifetimeMaxS)
  .refine((claims) => claims.auth_time * 1000 <= claims.iat * 1000 + clockSkewMaxMs);

/** Only auth holds such a key. It has just made these claims, so the verifiers alone judge them by the schema. */
export function signPassport(claims: PassportClaims, key: SigningKey): string {
  return signJws(key, passportType, Buffer.from(JSON.stringify(claims)));
}

export interface PassportVerifier {
  /** The identity; `invalid_passport`; `session_ended` when revoked; `identity_unavailable` when its key is new and auth out of reach. */
  verify(passport: string): Promise<VerifiedIdentity | Problem>;
  /** The same for an access token, where this service takes them. Mode `jwt` ignores revocations: that is its lesson. */
  verifyAccessToken(token: string): Promise<VerifiedIdentity | Problem>;
  /** Judges again what has changed since: for a stream that outlives the passport it was opened with. */
  standing(identity: VerifiedIdentity): Problem | undefined;
  /** Called after each revocation heard. Returns the unsubscribe function. */
  onRevocation(listener: () => void): () => void;
}

interface Verified {
  readonly identity: VerifiedIdentity;
  readonly kid: string;
  readonly key: KeyObject;
}

// oxlint-disable-next-line max-lines-per-function -- Longer because the rules of a passport's whole life stand together.
export function createPassportVerifier(options: {
  /** The service that this process is. */
  readonly audience: string;
  readonly keys: KeyRing;
  /** Without a feed the verifier knows of no revocations. Leave it out only in tests and in a service that keeps no personal data. */
  readonly feed?: RevocationFeed | undefined;
  readonly clock: Clock;
  /** Whether a session in the modes jwt and jwt-denylist may be shown here by its own access token. */
  readonly accessTokens?: boolean;
  /** With several regions: the region of these keys, which sign for no other. Undefined with one: then any name passes. */
  readonly region?: string | undefined;
}): PassportVerifier {
  const { audience, keys, feed, clock, region } = options;
  const verified = new LRUCache<string, Verified>({ max: cacheCountMax });
  const accessTokens = options.accessTokens === true ? createAccessTokenVerifier({ keys, clock, region }) : undefined;

  const refuse = (reason: string): Problem => {
    refusedPassports.inc({ audience, reason });
    return refusedBy(reason, problem('invalid_passport'));
  };

  const keysUnavailable = (): Problem => {
    refusedPassports.inc({ audience, reason: 'keys_unavailable' });
    return refusedBy('keys_unavailable', problem('identity_unavailable'));
  };

  const stale = (identity: VerifiedIdentity): 'expired' | 'not_yet' | undefined => {
    const nowMs = clock.nowMs();
    if (nowMs >= identity.expiresAtMs) return 'expired';
    return identity.issuedAtMs > nowMs + clockSkewMaxMs ? 'not_yet' : undefined;
  };

  const judge = (passport: string): Verified | string => {
    const known = verified.get(passport);
    if (known !== undefined && keys.find(known.kid) === known.key) return known;
    const fresh = checkSignature(passport, { audience, region }, keys);
    if (typeof fresh !== 'string' && stale(fresh.identity) === undefined) verified.set(passport, fresh);
    return fresh;
  };

  return {
    async verify(passport) {
      let verdict = judge(passport);
      if (verdict === 'unknown_key') {
        try {
          await keys.refresh();
        } catch {
          return keysUnavailable();
        }
        verdict = judge(passport);
      }
      if (typeof verdict === 'string') return refuse(verdict);
      const { identity } = verdict;
      const wrongTime = stale(identity);
      if (wrongTime !== undefined) {
        verified.delete(passport);
        return refuse(wrongTime);
      }
      return feed?.isRevoked(identity) === true ? revoked(audience) : identity;
    },
    async verifyAccessToken(token) {
      const verdict = (await accessTokens?.verify(token)) ?? 'invalid';
      if (verdict === 'keys_unavailable') return keysUnavailable();
      if (typeof verdict === 'string') return refuse(verdict === 'expired' ? verdict : 'bad_access_token');
      const { identity } = verdict;
      return identity.accessMode === 'jwt-denylist' && feed?.isRevoked(identity) === true ? revoked(audience) : identity;
    },
    standing(identity) {
      if (identity.accessMode === 'jwt') return stale(identity) === undefined ? undefined : refuse('expired');
      if (feed?.isRevoked(identity) === true) return revoked(audience);
      // Past its end a passport is acceptable only while the feed is heard, because a revocation would have been heard too.
      return stale(identity) === undefined || feed?.leaseValid() === true ? undefined : refuse('expired');
    },
    onRevocation: (listener) => feed?.onRevocation(listener) ?? (() => undefined),
  };
}

function revoked(audience: string): Problem {
  refusedPassports.inc({ audience, reason: 'revoked' });
  return refusedBy('revoked', problem('session_ended'));
}

/** @returns why not, as a word for the metric */
function checkSignature(
  passport: string,
  { audience, region }: { readonly audience: string; readonly region: string | undefined },
  keys: KeyRing,
): Verified | string {
  const jws = verifyJws(passport, { typ: passportType, algorithms: passportAlgorithms, find: (kid) => keys.find(kid) });
  if (!jws.ok) return jws.reason;
  const kid = jws.header['kid']!;
  const claims = claimsSchema.safeParse(parseStrictObject(jws.payload));
  if (!claims.success) return 'bad_claims';
  if (claims.data.aud !== audience) return 'wrong_audience';
  if (region !== undefined && claims.data.region !== region) return 'foreign_key';
  const actors = actorsOf(claims.data.act);
  const key = keys.find(kid);
  if (actors === undefined || key === undefined) return actors === undefined ? 'bad_claims' : 'unknown_key';
  return { identity: identityOf(claims.data, actors), kid, key };
}

function actorsOf(outermost: Actor | undefined): string[] | undefined {
  const actors: string[] = [];
  for (let actor = outermost; actor !== undefined; actor = actor.act) actors.push(actor.sub);
  return actors.length > actorCountMax ? undefined : actors;
}

/** Deeply frozen, because calls with the same passport share one object. */
function identityOf(claims: z.infer<typeof claimsSchema>, actors: string[]): VerifiedIdentity {
  return Object.freeze({
    subject: claims.sub,
    handle: claims.sid,
    state: claims.state,
    epoch: claims.epoch,
    globalEpoch: claims.gepoch,
    acr: claims.acr,
    amr: Object.freeze(claims.amr),
    authenticatedAtMs: claims.auth_time * 1000,
    transaction: claims.txn,
    actors: Object.freeze(actors),
    ...(claims.scope !== undefined && { scope: Object.freeze(claims.scope.split(' ')) }),
    region: claims.region,
    issuedAtMs: claims.iat * 1000,
    expiresAtMs: claims.exp * 1000,
  });
}
