/**
 * The access token of the modes `jwt` and `jwt-denylist` (RFC 9068): a session that the browser itself carries, signed by auth, at most 5
 * minutes. Unlike a passport it leaves the mesh, so whoever copies it has it: it is never taken for a passport (another `typ`, another
 * metadata key), opens no sensitive method, and is for the whole shop (`aud`), since a browser cannot hold one for each service.
 *
 * Who verifies it asks nobody. In mode `jwt` that is all: what was revoked lives on until `exp`, which is the lesson of that mode. In
 * `jwt-denylist` whoever verifies compares it with the revocations heard (`createPassportVerifier`, the gateway).
 * A signature is checked once and remembered by the token's bytes; its age and its key are checked at every use.
 */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { emailLengthMax, type SelfContainedMode, selfContainedModes } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import type { VerifiedIdentity } from '@cloakroom/mesh';
import type { KeyRing } from './identity.ts';
import { parseStrictObject, signJws, type SigningKey, verifyJws } from './jws.ts';

export const accessTokenIssuer = 'cloakroom-auth';
export const accessTokenType = 'at+jwt';
export const accessTokenAudience = 'cloakroom-shop';
/** RFC 9068 wants a client: all browsers are one. */
export const accessTokenClient = 'cloakroom-web';
/** The bound of mode `jwt`: so long does a revoked session live on. */
export const accessTokenLifetimeMaxS = 300;
/** NTP keeps machines of one site within this. */
const clockSkewMaxMs = 1_000;
/** About 3 KB an entry, 30 MB at most. */
const cacheCountMax = 10_000;

const name = z.string().min(1).max(128);
/** Seconds since 1970, fractions allowed (RFC 7519 NumericDate). */
const time = z.number().nonnegative().max(9_007_199_254_740);
const claimsSchema = z
  .object({
    iss: z.literal(accessTokenIssuer),
    aud: z.literal(accessTokenAudience),
    client_id: z.literal(accessTokenClient),
    jti: name,
    sub: z.string().regex(/^u_[A-Za-z0-9-]{1,64}$/),
    /** The session's handle. */
    sid: name,
    /** Which refresh of the session made it: 0 at the sign-in. */
    gen: z.int().nonnegative(),
    epoch: z.number().nonnegative(),
    gepoch: z.number().nonnegative(),
    /** Guests hold opaque tokens. */
    state: z.literal('user'),
    mode: z.enum(selfContainedModes),
    acr: z.string().max(64),
    amr: z.array(z.string().max(64)).max(8),
    auth_time: time,
    region: name,
    iat: time,
    exp: time,
    // What a page shows of the session: nobody is asked for it.
    name: z.string().max(256),
    email: z.string().max(emailLengthMax),
    role: z.string().max(32).optional(),
    created: time,
    idle_exp: time,
    abs_exp: time,
    /** The guest cart that the sign-in claimed; '' for none. */
    cart: z.string().max(80),
  })
  .refine((claims) => claims.exp > claims.iat && claims.exp - claims.iat <= accessTokenLifetimeMaxS)
  .refine((claims) => claims.auth_time * 1000 <= claims.iat * 1000 + clockSkewMaxMs);

export type AccessTokenClaims = z.output<typeof claimsSchema>;

/** Only auth holds such a key. @throws ZodError for claims that nobody would accept */
export function signAccessToken(claims: AccessTokenClaims, key: SigningKey): string {
  return signJws(key, accessTokenType, Buffer.from(JSON.stringify(claimsSchema.parse(claims))));
}

export interface VerifiedAccess {
  readonly identity: VerifiedIdentity & { readonly accessMode: SelfContainedMode };
  readonly claims: Readonly<AccessTokenClaims>;
}

/** expired: it was ours. invalid: it never was, or its key was retired. keys_unavailable: its key is new and auth out of reach. */
export type AccessRefusal = 'expired' | 'invalid' | 'keys_unavailable';

export interface AccessTokenVerifier {
  verify(token: string): Promise<VerifiedAccess | AccessRefusal>;
  /** Whether what was verified once is still within its time. */
  isCurrent(identity: VerifiedIdentity): boolean;
}

export function createAccessTokenVerifier({ keys, clock }: { readonly keys: KeyRing; readonly clock: Clock }): AccessTokenVerifier {
  const verified = new LRUCache<string, VerifiedAccess & { readonly kid: string; readonly key: KeyObject }>({ max: cacheCountMax });
  const isCurrent = ({ issuedAtMs, expiresAtMs }: VerifiedIdentity): boolean =>
    clock.nowMs() < expiresAtMs && issuedAtMs <= clock.nowMs() + clockSkewMaxMs;

  const judge = (token: string): VerifiedAccess | AccessRefusal | { readonly unknownKid: string } => {
    const known = verified.get(token);
    if (known !== undefined && keys.find(known.kid) === known.key) return known;
    const jws = verifyJws(token, { typ: accessTokenType, find: (kid) => keys.find(kid) });
    if (!jws.ok) return jws.reason === 'unknown_key' ? { unknownKid: kidOf(token) } : 'invalid';
    const kid = jws.header['kid']!;
    const claims = claimsSchema.safeParse(parseStrictObject(jws.payload));
    const key = keys.find(kid);
    if (!claims.success || key === undefined) return 'invalid';
    const fresh = { identity: identityOf(claims.data), claims: claims.data, kid, key };
    if (isCurrent(fresh.identity)) verified.set(token, fresh);
    return fresh;
  };

  return {
    async verify(token) {
      let verdict = judge(token);
      if (typeof verdict === 'object' && 'unknownKid' in verdict) {
        try {
          await keys.refresh(verdict.unknownKid);
        } catch {
          return 'keys_unavailable';
        }
        verdict = judge(token);
      }
      if (typeof verdict === 'string') return verdict;
      if ('unknownKid' in verdict) return 'invalid';
      if (clockAhead(verdict.identity, clock)) return 'invalid';
      return isCurrent(verdict.identity) ? verdict : 'expired';
    },
    isCurrent,
  };
}

const clockAhead = ({ issuedAtMs }: VerifiedIdentity, clock: Clock): boolean => issuedAtMs > clock.nowMs() + clockSkewMaxMs;

/** The header was well-formed, or there would be another reason. */
function kidOf(token: string): string {
  const header = parseStrictObject(Buffer.from(token.split('.', 1)[0]!, 'base64url'));
  return typeof header?.['kid'] === 'string' ? header['kid'] : '';
}

/** Frozen through and through: calls with the same token are given the same object. */
function identityOf(claims: AccessTokenClaims): VerifiedAccess['identity'] {
  return Object.freeze({
    subject: claims.sub,
    handle: claims.sid,
    state: claims.state,
    epoch: claims.epoch,
    globalEpoch: claims.gepoch,
    acr: claims.acr,
    amr: Object.freeze(claims.amr),
    authenticatedAtMs: Math.round(claims.auth_time * 1000),
    transaction: claims.jti,
    actors: Object.freeze([]),
    region: claims.region,
    issuedAtMs: Math.round(claims.iat * 1000),
    expiresAtMs: Math.round(claims.exp * 1000),
    accessMode: claims.mode,
  });
}
