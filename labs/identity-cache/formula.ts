/**
 * The arithmetic of a memory of identity. A person i makes requests at random, at a rate r_i. The first one asks auth, and for the time T
 * that follows all others are answered from memory: r_i T of them. So of 1 + r_i T requests one asks:
 *
 *   hit ratio of a person   = r_i T / (1 + r_i T)
 *   questions a second      = sum over all people of r_i / (1 + r_i T)
 *
 * An entry is a request old at a random moment, so an end is seen after T / 2 on average where T is fixed. Where T differs from entry to entry, a long
 * one is met more often: E[T^2] / (2 E[T]).
 */
import { jitterPart } from '../../apps/gateway/src/identity/identity-cache.ts';

export interface Crowd {
  readonly people: number;
  /** Requests a second, of all of them. */
  readonly ratePerS: number;
  /** Each has a memory of its own, and a request reaches any of them. */
  readonly gateways: number;
}

/** Zipf's law with exponent 1: the person of rank i makes 1/i as many requests as the first. @returns shares, which add up to 1 */
export function sharesOf(people: number): number[] {
  const weights = Array.from({ length: people }, (_, index) => 1 / (index + 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The real cache cuts up to `jitterPart` of each life off at random. */
const meanLifeOf = (lifeS: number): number => lifeS * (1 - jitterPart / 2);

export interface Expected {
  /** From 0 to 1. */
  readonly hitRatio: number;
  readonly questionsPerS: number;
  readonly meanStaleS: number;
}

/** @param lifeS how long an answer is believed at most */
export function expectedOf({ people, ratePerS, gateways }: Crowd, lifeS: number): Expected {
  const meanS = meanLifeOf(lifeS);
  const remembered = sharesOf(people).map((share) => {
    const perLife = ((share * ratePerS) / gateways) * meanS;
    return share * (perLife / (1 + perLife));
  });
  const hitRatio = remembered.reduce((sum, share) => sum + share, 0);
  // The lives are spread evenly from (1 - jitterPart) to 1.
  const meanSquare = (1 - (1 - jitterPart) ** 3) / (3 * jitterPart);
  return {
    hitRatio,
    questionsPerS: ratePerS * (1 - hitRatio),
    meanStaleS: lifeS === 0 ? 0 : (lifeS ** 2 * meanSquare) / (2 * meanS),
  };
}
