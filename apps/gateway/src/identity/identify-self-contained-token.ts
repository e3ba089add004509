/**
 * Finds the person behind the cookies of a self-contained session (modes jwt and jwt-denylist).
 *
 * - The gateway verifies an access token itself, without a call. In jwt-denylist it also compares the token with the revocations heard, while
 *   the lease holds. Without the lease auth introspects the token at each request. If auth is silent too, a lease that was lost less than a
 *   minute ago still carries carts and reads, as in hybrid.
 * - If the access token is absent or expired, the gateway renews it with the refresh token, unseen by the page. The new cookies go with the
 *   answer.
 * - A sensitive request, or one whose audience is auth, asks auth in both modes: an access token says what was true minutes ago.
 */
import { create } from '@bufbuild/protobuf';
import {
  isProblem,
  problem,
  type Problem,
  SessionState,
  type SessionView,
  SessionViewSchema,
  tokenModeNameOf,
  tokenModeOf,
} from '@cloakroom/contracts';
import { type VerifiedAccess } from '@cloakroom/identity';
import { type OutgoingCall } from '@cloakroom/mesh';
import { inSpan, observe } from '@cloakroom/platform';
import type { RefreshParts } from '@cloakroom/session';
import { selfContainedHash } from './self-contained-tokens.ts';
import type { Exchange, Person, SelfContainedCookies } from '../http-exchange.ts';
import type { RegionIdentity } from '../gateway.ts';
import { askAuth, type IdentityNeed, resolveBudgetMs } from './identify-reference-token.ts';
import type { Decision } from './identity-cache.ts';
import { tokenOf as newTokenOf } from './issued-session.ts';
import { believing } from './observed-identity.ts';

/** An access token this close to its end could die on its way to the service. */
const marginMs = 1_500;
/** As long as a passport would have served in hybrid. */
const degradedMaxMs = 60_000;
const retryAfterS = 2;

/** stale: the access token needs a renewal, which this place cannot do (an open stream, a page that anyone may see). */
export type SelfContainedAnswer = Person | 'ended' | 'stale' | undefined | Problem;

export async function identifySelfContained(
  exchange: Exchange,
  selfContained: SelfContainedCookies,
  need: IdentityNeed,
  gateway: RegionIdentity,
): Promise<SelfContainedAnswer> {
  const startedMs = performance.now();
  const answer = await inSpan({ name: 'identity', kind: 'internal' }, need.touch ? exchange.trace : undefined, async (trace, span) => {
    const found = await decide({ ...exchange, trace: trace ?? exchange.trace }, selfContained, need, gateway);
    if (span === undefined) return found;
    span.set({ 'cloakroom.identity.decision': describe(found) });
    const shown = selfContained.access === undefined ? 'refresh token' : 'access token';
    observe(span, () => believing(found, shown, gateway.feed.leaseAgeMs(), gateway.clock.nowMs()));
    return found;
  });
  exchange.timings.add({ name: 'session', durationMs: performance.now() - startedMs, description: describe(answer) });
  return answer;
}

async function decide(
  exchange: Exchange,
  selfContained: SelfContainedCookies,
  need: IdentityNeed,
  gateway: RegionIdentity,
): Promise<SelfContainedAnswer> {
  const shown = await usableAccess(selfContained, gateway);
  if (typeof shown !== 'string') {
    const { refresh, access } = selfContained;
    const hash = selfContainedHash({ handle: shown.identity.handle, generation: shown.claims.gen });
    exchange.renewal.token = { text: refresh?.text ?? access!, region: shown.identity.region, hash, selfContained };
    return judge(exchange, shown, shown.text, need, gateway, 'local');
  }
  const { refresh } = selfContained;
  if (refresh === undefined) {
    if (shown === 'keys_unavailable') return unavailable;
    return shown === 'expired' ? 'ended' : undefined;
  }
  if (need.refresh === false) return 'stale';
  const issued = await gateway.selfContained.refresh(refresh.text, refresh.parts, need.touch, () => callOf(exchange, need));
  if (isProblem(issued)) {
    if (issued.problem === 'session_required') return undefined;
    return issued.problem === 'session_ended' ? 'ended' : unavailable;
  }
  const newToken = newTokenOf(issued);
  if (newToken.selfContained === undefined) return unavailable;
  gateway.selfContained.noteIssued(newToken.selfContained.parts);
  exchange.renewal.issued = newToken;
  const renewed = await gateway.selfContained.verify(newToken.selfContained.access);
  // The signing key is so new that the gateway cannot have it yet. The cookies are set all the same, and the next request finds the key.
  if (typeof renewed === 'string') return unavailable;
  exchange.renewal.identity = renewed.identity;
  exchange.renewal.token = selfContainedToken(newToken.text, newToken.selfContained.access, newToken.selfContained.parts);
  return judge(exchange, renewed, newToken.selfContained.access, need, gateway, 'refreshed');
}

export function selfContainedToken(text: string, access: string, parts: RefreshParts) {
  return { text, region: parts.region, hash: selfContainedHash(parts), selfContained: { access, refresh: { text, parts } } };
}

type Usable = VerifiedAccess & { readonly text: string };

async function usableAccess(
  { access, refresh }: SelfContainedCookies,
  gateway: RegionIdentity,
): Promise<Usable | 'expired' | 'invalid' | 'keys_unavailable'> {
  if (access === undefined) return 'invalid';
  const verified = await gateway.selfContained.verify(access);
  if (typeof verified === 'string') return verified;
  gateway.selfContained.noteShown(verified);
  if (refresh === undefined) return gateway.selfContained.isTrusted(verified) ? { ...verified, text: access } : 'expired';
  // The two tokens belong to two sessions: the one that can be renewed decides.
  if (verified.identity.handle !== refresh.parts.handle) return 'expired';
  const leftMs = verified.identity.expiresAtMs - gateway.clock.nowMs();
  return leftMs > marginMs && gateway.selfContained.isTrusted(verified) ? { ...verified, text: access } : 'expired';
}

async function judge(
  exchange: Exchange,
  verified: VerifiedAccess,
  text: string,
  need: IdentityNeed,
  gateway: RegionIdentity,
  decision: 'local' | 'refreshed',
): Promise<Person | 'ended' | Problem> {
  const { identity } = verified;
  const local = (how: Decision): Person => ({ view: viewOf(verified), passport: { accessToken: text }, decision: how });
  const mustAsk = need.sensitive || need.audience === 'auth';
  if (!mustAsk && identity.accessMode === 'jwt') return local(decision);
  if (identity.accessMode === 'jwt-denylist' && gateway.feed.isRevoked(identity)) return 'ended';
  // A token that auth has just issued needs no lease.
  if (!mustAsk && (gateway.feed.leaseValid() || decision === 'refreshed')) return local(decision);

  const answer = await askAuth(gateway.resolve, { token: text, audience: need.audience, touch: need.touch }, () => callOf(exchange, need));
  if (answer === 'none') return 'ended';
  if (!isProblem(answer)) return { view: answer.view, passport: answer.passport, decision: decision === 'local' ? 'asked' : decision };
  const known = gateway.degrades && gateway.feed.leaseAgeMs() <= degradedMaxMs && !gateway.feed.isRevoked(identity);
  return !mustAsk && known ? local('degraded') : unavailable;
}

const unavailable = problem('identity_unavailable', undefined, retryAfterS);

function callOf(exchange: Exchange, need: IdentityNeed): OutgoingCall {
  return {
    budgetMs: Math.min(need.budgetMs ?? resolveBudgetMs, exchange.deadline.remainingMs()),
    trace: exchange.trace,
    onTiming: (entries) => entries.forEach((entry) => exchange.timings.add(entry)),
    ...(exchange.experiment !== undefined && { experiment: exchange.experiment }),
  };
}

const views = new WeakMap<object, SessionView>();

/** Builds the view that auth would give, from the token's own claims. */
function viewOf({ claims }: VerifiedAccess): SessionView {
  const known = views.get(claims);
  if (known !== undefined) return known;
  const ms = (seconds: number): bigint => BigInt(Math.round(seconds * 1_000));
  const view = create(SessionViewSchema, {
    handle: claims.sid,
    state: SessionState.USER,
    mode: tokenModeOf[claims.mode],
    subject: claims.sub,
    name: claims.name,
    email: claims.email,
    createdAtMs: ms(claims.created),
    authenticatedAtMs: ms(claims.auth_time),
    idleExpiresAtMs: ms(claims.idle_exp),
    expiresAtMs: ms(claims.abs_exp),
    claimedGuestCart: claims.cart,
    region: claims.region,
    role: claims.role ?? '',
  });
  views.set(claims, view);
  return view;
}

/** Names the decision for Server-Timing: "jwt local", "jwt-denylist refreshed", "jwt asked". */
function describe(answer: SelfContainedAnswer): string {
  if (answer === undefined) return 'none';
  if (typeof answer === 'string') return answer;
  if (isProblem(answer)) return 'unavailable';
  return `${tokenModeNameOf[answer.view.mode]} ${answer.decision}`;
}
