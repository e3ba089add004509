/**
 * Token exchange (RFC 8693) for a service that must call another for a person. Two proofs are needed at once: the certificate of the call says
 * who asks, the passport says for whom, and that it was sent to this very service. What may be asked for stands in the contract alone
 * (`delegates`). The result is narrower in every respect: the methods of that table, one audience, the same person and session, an end that
 * is never later; and it is its holder's alone, as servers compare its outermost actor with the certificate (libs/identity, admission.ts).
 *
 * Whether the session still lives is asked at first hand, of the database that holds every revocation, so no service can carry a revoked session
 * on by exchanging in circles. Redis is not asked: it knows nothing of this that the database does not.
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
  // In embedded nothing proves who asks: it is whoever the passport was for.
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
  // Before the database is asked: a passport is never dated later than what it states.
  const iatMs = auth.clock.nowMs();
  const identity = await verifyFor(auth, caller, subjectToken);
  if (isProblem(identity)) return identity;
  const granted = delegatedMethods(caller, audience);
  const scope = wanted.length === 0 ? granted : wanted;
  if (granted.length === 0 || scope.some((method) => !granted.includes(method))) return problem('forbidden');
  // A circle is a deputy that was talked into calling itself by detours.
  if (identity.actors.length >= actorCountMax || [caller, ...identity.actors].includes(audience)) return problem('forbidden');
  if (await isRevokedAtFirstHand(auth.database, identity)) return problem('session_ended');
  const expiresAtMs = Math.min(identity.expiresAtMs, iatMs + passportLifetimeMaxS * 1000);
  // It was within its time a moment ago, when its signature was looked at.
  if (expiresAtMs <= iatMs) return problem('invalid_passport');
  return {
    issuedToken: sign(auth, identity, { caller, audience, scope, iatMs, expiresAtMs }),
    expiresAtMs: BigInt(Math.floor(expiresAtMs)),
    scope: [...scope],
  };
}

/** The verifiers of other services see the same: their audience, auth's keys. What auth's own replicas have rotated is read again at need. */
async function verifyFor(auth: Auth, caller: string, token: string): Promise<VerifiedIdentity | Problem> {
  const keys = { find: (kid: string) => auth.keys.find(kid), refresh: () => auth.keys.reload(), retire: () => undefined };
  const verifier = createPassportVerifier({ audience: caller, keys, clock: auth.clock, accessTokens: true });
  // An access token is for the whole shop (access-token.ts), so whichever service was sent it may present it.
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
    auth.keys.active(),
  );
}

interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** RFC 8693 4.1: the one who acts now outermost, those before it inside. */
const actorChain = ([sub, ...before]: readonly string[]): Actor => ({ sub: sub!, ...(before.length > 0 && { act: actorChain(before) }) });

/** Only to choose the verifier, which then looks at all of it. */
function audienceOf(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown } | null;
    return typeof claims?.aud === 'string' ? claims.aud : undefined;
  } catch {
    return undefined;
  }
}
