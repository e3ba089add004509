/**
 * Finds the person behind a session cookie: MAC first, then the identity cache, then auth.
 *
 * A token with a wrong MAC never was ours and counts as no cookie. It must not reach auth, where its tag would choose a shard. A token with a
 * right MAC whose session is gone is `ended`: the gateway says so, and never answers with a silent new guest.
 */
import { isProblem, problem, type Problem, tokenModeNameOf } from '@cloakroom/contracts';
import { type OutgoingCall } from '@cloakroom/mesh';
import { inSpan, observe, type TraceContext } from '@cloakroom/platform';
import { type MacKeys, parseToken } from '@cloakroom/session';
import { LRUCache } from 'lru-cache';
import type { BrowserToken, Exchange, Person } from '../http-exchange.ts';
import { believing } from './observed-identity.ts';
import { claimsFor, type Resolve } from './resolve-at-auth.ts';
import type { AuthAnswer, IdentityAnswer, IdentityCache, Audience } from './identity-cache.ts';

/** A request waits no longer than this to identify its caller. The rest of the budget belongs to the work that was asked for. */
export const resolveBudgetMs = 800;

/** Tokens whose seal was right, about 400 bytes each. A forged token never gets in, so only tokens that auth issued can fill it. */
const sealedCountMax = 10_000;
/** One cache for each set of MAC keys. A seal's verdict never changes; whether the session lives is asked elsewhere, at each request. */
const sealed = new WeakMap<MacKeys, LRUCache<string, BrowserToken>>();

export function readToken(cookie: string | undefined, keys: MacKeys): BrowserToken | undefined {
  if (cookie === undefined) return undefined;
  const known = sealed.get(keys) ?? new LRUCache<string, BrowserToken>({ max: sealedCountMax });
  sealed.set(keys, known);
  const remembered = known.get(cookie);
  if (remembered !== undefined) return remembered;
  const parsed = parseToken(cookie, keys);
  if (parsed === undefined) return undefined;
  const token = Object.freeze({ text: cookie, region: parsed.region, hash: parsed.key.hash });
  known.set(cookie, token);
  return token;
}

export interface IdentityNeed {
  readonly audience: Audience;
  readonly sensitive: boolean;
  /** A person did this; false for streams, which must not keep a session alive. */
  readonly touch: boolean;
  /** The part of the request's budget that may be spent here. */
  readonly budgetMs?: number;
  /** False where an expired access token cannot be renewed, because no cookie can be set. */
  readonly refresh?: boolean;
}

type Asker = Pick<Exchange, 'token' | 'deadline' | 'trace' | 'experiment' | 'signal' | 'timings'>;

/** @returns undefined: no session was ever shown; 'ended': it is over */
export async function identify(
  exchange: Asker,
  need: IdentityNeed,
  cache: IdentityCache,
  resolve: Resolve,
): Promise<Person | 'ended' | undefined | Problem> {
  const { token } = exchange;
  if (token === undefined) {
    exchange.timings.add({ name: 'session', durationMs: 0, description: 'none' });
    return undefined;
  }
  const startedMs = performance.now();
  // A live stream looks again every 2 s, for as long as it is open: no person asked, so there is no span.
  const answer = await inSpan({ name: 'identity', kind: 'internal' }, need.touch ? exchange.trace : undefined, async (trace, span) => {
    const decided = await decide(exchange, trace ?? exchange.trace, token, need, cache, resolve);
    if (span === undefined) return decided;
    span.set({ 'cloakroom.identity.decision': describe(decided) });
    const { leaseAgeMs, nowMs } = cache.heard;
    observe(span, () => believing(personIn(decided), 'session token', leaseAgeMs, nowMs));
    return decided;
  });
  exchange.timings.add({ name: 'session', durationMs: performance.now() - startedMs, description: describe(answer) });
  return personIn(answer);
}

function personIn(answer: IdentityAnswer): Person | 'ended' | Problem {
  if (answer === 'ended' || isProblem(answer)) return answer;
  return { view: answer.resolved.view, passport: answer.resolved.passport, decision: answer.decision };
}

function decide(
  exchange: Asker,
  trace: TraceContext,
  token: BrowserToken,
  need: IdentityNeed,
  cache: IdentityCache,
  resolve: Resolve,
): Promise<IdentityAnswer> {
  const budgetMs = (): number => Math.min(need.budgetMs ?? resolveBudgetMs, exchange.deadline.remainingMs());
  return cache.identify({
    tokenHash: token.hash,
    audience: need.audience,
    sensitive: need.sensitive,
    touch: need.touch,
    patience: () => new Promise((done) => setTimeout(() => done('late'), budgetMs()).unref()),
    ask: ({ shared }) =>
      askAuth(resolve, { token: token.text, audience: need.audience, touch: need.touch }, () => ({
        // A shared question gets the whole budget, because others may join it. The page that happened to ask first may have less.
        budgetMs: shared ? resolveBudgetMs : budgetMs(),
        trace,
        onTiming: (entries) => entries.forEach((entry) => exchange.timings.add(entry)),
        ...(exchange.experiment !== undefined && { experiment: exchange.experiment }),
        ...(!shared && { signal: exchange.signal() }),
      })),
  });
}

export async function askAuth(
  resolve: Resolve,
  request: { token: string; audience: string; touch: boolean },
  call: () => OutgoingCall,
): Promise<AuthAnswer> {
  const answer = await resolve(call(), request);
  if (isProblem(answer)) return answer;
  if (answer.session === undefined) return 'none';
  const claims = claimsFor(request, answer);
  // auth's certificate vouches for the passport. An answer to another question, or one that the gateway cannot read, lets nobody in.
  if (claims === undefined) return problem('identity_unavailable');
  const { handle, subject } = answer.session;
  const identity = { subject, handle, epoch: Number(answer.epoch), globalEpoch: Number(answer.globalEpoch), issuedAtMs: claims.issuedAtMs };
  return { view: answer.session, passport: answer.passport, identity, lifeMs: claims.expiresAtMs - claims.issuedAtMs };
}

/** Names the decision for Server-Timing: "hybrid hit", "reference asked", "ended", "unavailable". */
function describe(answer: IdentityAnswer): string {
  if (answer === 'ended') return 'ended';
  if (isProblem(answer)) return 'unavailable';
  return `${tokenModeNameOf[answer.resolved.view.mode] ?? 'unknown'} ${answer.decision}`;
}
