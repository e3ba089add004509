/**
 * For a service that must call another on a person's behalf. Auth trades the passport that the service received for one that the other takes (RFC
 * 8693). The service keeps the result, by the bytes of the received passport, until shortly before its end. It forgets the result when auth retires a
 * key, ends everything or ends that person's sessions. The cache never lengthens a life: the request's own passport is checked first, each time.
 */
import { isProblem, problem, type Problem, type TokenExchangeService } from '@cloakroom/contracts';
import { LRUCache } from 'lru-cache';
import type { Clock } from '@cloakroom/platform';
import { forward, type MeshClient, type RequestContext } from '@cloakroom/mesh';
import type { Revocation, RevocationFeed } from './identity.ts';

/** About 3 KB an entry with its key. */
const cacheCountMax = 5_000;
/** Leaves time for the call that the passport is for: longer than any budget but a login's. */
const remainingMinMs = 3_000;

export interface TokenExchange {
  /**
   * @param options.fresh for a sensitive method, which takes only a passport of the last two seconds: always asks auth
   * @returns a passport for `audience`; `forbidden` when the contract lets this service do nothing there, `session_ended`, `invalid_passport`
   */
  exchangeFor(ctx: RequestContext, audience: string, options?: { readonly fresh?: boolean }): Promise<string | Problem>;
  stop(): void;
}

interface Traded {
  readonly passport: string;
  readonly expiresAtMs: number;
  readonly subject: string;
}

export function openTokenExchange(options: {
  readonly auth: MeshClient<typeof TokenExchangeService>;
  readonly feed: Pick<RevocationFeed, 'onRevocation' | 'leaseValid'>;
  readonly clock: Clock;
}): TokenExchange {
  const { auth, feed, clock } = options;
  const traded = new LRUCache<string, Traded>({ max: cacheCountMax });
  /** Counts the revocations heard: an answer to an older question is not kept. */
  let heard = 0;
  const stop = feed.onRevocation((what) => {
    heard += 1;
    forget(traded, what);
  });
  return {
    async exchangeFor(ctx, audience, { fresh = false } = {}) {
      const { identity, subjectToken } = ctx;
      if (identity === undefined || subjectToken === undefined) return problem('session_required');
      const key = `${audience} ${subjectToken}`;
      const known = fresh || !feed.leaseValid() ? undefined : traded.get(key);
      if (known !== undefined && known.expiresAtMs - clock.nowMs() > remainingMinMs) return known.passport;
      const before = heard;
      const answer = await auth.exchangeToken(forward(ctx), { subjectToken, audience });
      if (isProblem(answer)) return answer;
      const entry = { passport: answer.issuedToken, expiresAtMs: Number(answer.expiresAtMs), subject: identity.subject };
      if (heard === before) traded.set(key, entry);
      return entry.passport;
    },
    stop,
  };
}

function forget(traded: LRUCache<string, Traded>, what: Revocation): void {
  if (what.kind !== 'token' && what.kind !== 'user') return traded.clear();
  for (const [key, { subject }] of traded.entries()) if (subject === what.subject) traded.delete(key);
}
