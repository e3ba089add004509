/**
 * The access token of the modes `jwt` and `jwt-denylist` (RFC 9068): a session that the browser itself carries. Auth signs it for at most 5 minutes.
 * Unlike a passport it leaves the mesh, so a thief can copy it. Services therefore never accept it as a passport: it has another `typ` and another
 * metadata key. It opens no sensitive method. Its audience (`aud`) is the whole shop, since a browser cannot hold one token for each service.
 *
 * A verifier needs no call to auth. In mode `jwt` a revoked session lives on until `exp`, which is the lesson of that mode. In `jwt-denylist` the
 * verifier compares the token with the revocations heard (`createPassportVerifier`, the gateway). The verifier checks a signature once and remembers
 * it by the token's bytes. It checks the token's age and key at every use.
 *
 * Access tokens stay ES256 when passports are signed with Ed25519 (docs/decisions/0035-passports-by-ed25519.md). So a switch changes nothing that a
 * browser holds.
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
/** RFC 9068 requires a client id. All browsers share one. */
export const accessTokenClient = 'cloakroom-web';
/** The bound of mode `jwt`: a revoked session lives on for at most this long. */
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
    /** The account's kind. Guests hold opaque tokens, so they never have one of these. */
    state: z.literal('user'),
    mode: z.enum(selfContainedModes),
    acr: z.string().max(64),
    amr: z.array(z.string().max(64)).max(8),
    auth_time: time,
    region: name,
    iat: time,
    exp: time,
    // Pages show these claims of the session without a call to auth.
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

/** Only auth holds such a key. @throws ZodError for claims that every verifier would refuse */
export function signAccessToken(claims: AccessTokenClaims, key: SigningKey): string {
  return signJws(key, accessTokenType, Buffer.from(JSON.stringify(claimsSchema.parse(claims))));
}

export interface VerifiedAccess {
  readonly identity: VerifiedIdentity & { readonly accessMode: SelfContainedMode };
  readonly claims: Readonly<AccessTokenClaims>;
}

/** expired: it was ours. invalid: it never was ours, or its key was retired. keys_unavailable: its key is new and auth is out of reach. */
export type AccessRefusal = 'expired' | 'invalid' | 'keys_unavailable';

export interface AccessTokenVerifier {
  verify(token: string): Promise<VerifiedAccess | AccessRefusal>;
  /** Whether a token that was verified once is still within its time. */
  isCurrent(identity: VerifiedIdentity): boolean;
}

/** @param options.region with several regions: the region of these keys, which sign for no other */
export function createAccessTokenVerifier(options: {
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly region?: string | undefined;
}): AccessTokenVerifier {
  const { keys, clock, region } = options;
  const verified = new LRUCache<string, VerifiedAccess & { readonly kid: string; readonly key: KeyObject }>({ max: cacheCountMax });
  const isCurrent = ({ issuedAtMs, expiresAtMs }: VerifiedIdentity): boolean =>
    clock.nowMs() < expiresAtMs && issuedAtMs <= clock.nowMs() + clockSkewMaxMs;

  const judge = (token: string): VerifiedAccess | AccessRefusal | { readonly unknownKid: string } => {
    const known = verified.get(token);
    if (known !== undefined && keys.find(known.kid) === known.key) return known;
    const jws = verifyJws(token, { typ: accessTokenType, algorithms: ['ES256'], find: (kid) => keys.find(kid) });
    if (!jws.ok) return jws.reason === 'unknown_key' ? { unknownKid: kidOf(token) } : 'invalid';
    const kid = jws.header['kid']!;
    const claims = claimsSchema.safeParse(parseStrictObject(jws.payload));
    const key = keys.find(kid);
    if (!claims.success || key === undefined) return 'invalid';
    if (region !== undefined && claims.data.region !== region) return 'invalid';
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

/** The header is well-formed here: a malformed one fails with another reason. */
function kidOf(token: string): string {
  const header = parseStrictObject(Buffer.from(token.split('.', 1)[0]!, 'base64url'));
  return typeof header?.['kid'] === 'string' ? header['kid'] : '';
}

/** Deeply frozen, because calls with the same token share one object. */
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
