/**
 * Token exchange (RFC 8693) for a service that must call another for a person. The caller needs two proofs at once. Its certificate says who asks.
 * The passport says for whom, and that it was sent to this very service. Only the contract says what may be asked for (`delegates`).
 *
 * The result is narrower in every respect. It allows the methods of that table and one audience, for the same person and session. It never ends later
 * than the passport. Only its holder can use it: servers compare its outermost actor with the certificate (libs/identity, admission.ts).
 *
 * Auth checks the session against its database, which holds every revocation. So no service can keep a revoked session alive by exchanging in
 * circles. Auth does not ask Redis, which knows nothing here that the database does not.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  delegatedMethods,
  type ExchangeTokenRequest,
  type ExchangeTokenResponseSchema,
  isProblem,
  problem,
  type Problem,
} from '@cloakroom/contracts';
import {
  accessTokenAudience as shopAudience,
  actorCountMax,
  createPassportVerifier,
  passportIssuer,
  passportLifetimeMaxS,
  signPassport,
} from '@cloakroom/identity';
import { type RequestContext, type VerifiedIdentity } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { isRevokedAtFirstHand } from '../revocation/first-hand.ts';
import { exchanges } from '../metrics.ts';
import { audiences } from './passports.ts';

export async function exchangeToken(
  auth: Auth,
  ctx: RequestContext,
  request: ExchangeTokenRequest,
): Promise<MessageInitShape<typeof ExchangeTokenResponseSchema> | Problem> {
  const { audience, subjectToken } = request;
  if (!audiences.has(audience)) return problem('invalid_request', 'audience: no such service');
  // In embedded there is no certificate, so auth takes the passport's audience as the caller.
  const caller = ctx.caller ?? audienceOf(subjectToken);
  if (caller === undefined || !audiences.has(caller)) return problem('invalid_passport');
  const answer = await exchangeFor(auth, caller, request);
  exchanges.inc({ caller, audience, outcome: isProblem(answer) ? answer.problem : 'ok' });
  if (isProblem(answer) && answer.problem === 'forbidden')
    auth.log.warn({ caller, audience, trace_id: ctx.trace.traceId }, 'a service asked for what it may not do for a person');
  return answer;
}

async function exchangeFor(
  auth: Auth,
  caller: string,
  { audience, subjectToken, scope: wanted }: ExchangeTokenRequest,
): Promise<MessageInitShape<typeof ExchangeTokenResponseSchema> | Problem> {
  // Taken before the database query, so that the passport is never dated later than what it states.
  const iatMs = auth.clock.nowMs();
  const identity = await verifyFor(auth, caller, subjectToken);
  if (isProblem(identity)) return identity;
  const granted = delegatedMethods(caller, audience);
  const scope = wanted.length === 0 ? granted : wanted;
  if (granted.length === 0 || scope.some((method) => !granted.includes(method))) return problem('forbidden');
  // A circle means that a service was tricked into calling itself by a detour.
  if (identity.actors.length >= actorCountMax || [caller, ...identity.actors].includes(audience)) return problem('forbidden');
  if (await isRevokedAtFirstHand(auth.database, identity)) return problem('session_ended');
  const expiresAtMs = Math.min(identity.expiresAtMs, iatMs + passportLifetimeMaxS * 1000);
  // The passport may have expired since its signature was checked.
  if (expiresAtMs <= iatMs) return problem('invalid_passport');
  return {
    issuedToken: sign(auth, identity, { caller, audience, scope, iatMs, expiresAtMs }),
    expiresAtMs: BigInt(Math.floor(expiresAtMs)),
    scope: [...scope],
  };
}

/**
 * The same verifier as in other services: it takes the caller's audience and auth's keys. It reads the keys again when another replica of auth has
 * rotated them.
 */
async function verifyFor(auth: Auth, caller: string, token: string): Promise<VerifiedIdentity | Problem> {
  const keys = { find: (kid: string) => auth.keys.find(kid), refresh: () => auth.keys.reload(), retire: () => undefined };
  const verifier = createPassportVerifier({ audience: caller, keys, clock: auth.clock, accessTokens: true });
  // An access token is for the whole shop (access-token.ts), so any service that received it may present it.
  return audienceOf(token) === shopAudience ? verifier.verifyAccessToken(token) : verifier.verify(token);
}

interface Delegated {
  readonly caller: string;
  readonly audience: string;
  readonly scope: readonly string[];
  readonly iatMs: number;
  readonly expiresAtMs: number;
}

function sign(auth: Auth, identity: VerifiedIdentity, { caller, audience, scope, iatMs, expiresAtMs }: Delegated): string {
  return signPassport(
    {
      iss: passportIssuer,
      aud: audience,
      sub: identity.subject,
      sid: identity.handle,
      epoch: identity.epoch,
      gepoch: identity.globalEpoch,
      state: identity.state,
      acr: identity.acr,
      amr: identity.amr,
      auth_time: identity.authenticatedAtMs / 1000,
      txn: identity.transaction,
      act: actorChain([caller, ...identity.actors]),
      scope: scope.join(' '),
      region: identity.region,
      iat: iatMs / 1000,
      exp: expiresAtMs / 1000,
    },
    auth.keys.forPassports(),
  );
}

interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** RFC 8693 4.1: the current actor is outermost, earlier actors are nested inside. */
const actorChain = ([sub, ...before]: readonly string[]): Actor => ({ sub: sub!, ...(before.length > 0 && { act: actorChain(before) }) });

/** Reads the audience without verifying, only to choose the verifier. The verifier then checks everything. */
function audienceOf(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown } | null;
    return typeof claims?.aud === 'string' ? claims.aud : undefined;
  } catch {
    return undefined;
  }
}
