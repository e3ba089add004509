/**
 * Memories of the real gateway (apps/gateway/src/identity/identity-cache.ts) before the real auth. With a lease, an answer is believed for a time, and
 * nobody takes it back. With the feed it is believed as the shop believes it: for the life of its passport, while the feed of revocations is heard.
 */
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { RevocationFeed } from '@cloakroom/identity';
import type { Clock } from '@cloakroom/platform';
import { readMacKeys } from '@cloakroom/session';
import { type AuthAnswer, IdentityCache, marginMs, type Resolved } from '../../apps/gateway/src/identity/identity-cache.ts';
import { askAuth, readToken } from '../../apps/gateway/src/identity/identify-reference-token.ts';
import { answered, type AuthAlone } from '../bench/measuring/auth-alone.ts';
import type { Feed } from '../bench/measuring/auth-feed.ts';

/** How long answers are believed at most, in seconds; or as the shop does it. */
export type Belief = number | 'feed';

/** Time that is told. Ten seconds of the people pass while auth answers a few questions. */
export class ToldClock implements Clock {
  aheadMs = 0;
  private readonly startedMs = Date.now();
  nowMs = (): number => this.startedMs + this.aheadMs;
  monotonicMs = (): number => this.aheadMs;
}

export interface Memory {
  /** @returns 'ended' where the session is over */
  identify(token: string): Promise<'remembered' | 'asked' | 'ended'>;
  /** Resolves once the feed is heard. A lease needs none. */
  heard(): Promise<void>;
  close(): void;
}

/** A gateway that hears nothing and believes all the same: what most caches of identity are. */
const nothingHeard: RevocationFeed = {
  leaseValid: () => true,
  leaseAgeMs: () => 0,
  isRevoked: () => false,
  isTokenRevoked: () => false,
  onRevocation: () => () => undefined,
  ready: Promise.resolve(),
  stop: () => Promise.resolve(),
};

export function openMemory(auth: AuthAlone, belief: Belief, { feed, heard }: Feed, clock: Clock, random: () => number): Memory {
  const cache = new IdentityCache({ feed: belief === 'feed' ? feed : nothingHeard, clock, random });
  const keys = readMacKeys(auth.macKey);
  // The cache takes its margin off, and a life of the margin alone is no life: nothing is kept then.
  const lifeMs = belief === 'feed' ? Number.POSITIVE_INFINITY : belief * 1_000 + marginMs;
  return {
    async identify(token) {
      const answer = await cache.identify({
        tokenHash: readToken(token, keys)!.hash,
        audience: 'cart',
        sensitive: false,
        touch: true,
        patience: () => new Promise(() => undefined),
        async ask() {
          const asked = () => askAuth(auth.client.resolve, { token, audience: 'cart', touch: true }, () => auth.call());
          const told = await answered(async () => boxed(await asked()));
          return told.answer === 'none' ? 'none' : { ...told.answer, lifeMs: Math.min(told.answer.lifeMs, lifeMs) };
        },
      });
      if (answer === 'ended') return 'ended';
      if (isProblem(answer)) throw new Error(`auth could not say who it is: ${answer.problem}`);
      return answer.decision === 'hit' ? 'remembered' : 'asked';
    },
    heard: () => (belief === 'feed' ? heard() : Promise.resolve()),
    close: () => cache.close(),
  };
}

const boxed = (answer: AuthAnswer): { readonly answer: Resolved | 'none' } | Problem =>
  answer !== 'none' && isProblem(answer) ? answer : { answer };
