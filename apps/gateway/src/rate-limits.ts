/**
 * Bounds for each address, in this process' memory: they protect this replica from one busy client, not accounts from guessing (auth counts
 * failures by account and address in its store). Two replicas allow twice as much, which is harmless for bounds this wide.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf } from '@cloakroom/platform';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { GatewayConfig } from './config.ts';

export interface AddressLimits {
  /** @returns what to answer when the address has had its share */
  request(address: string): Promise<Problem | undefined>;
  /** @param from the address, or the cookie of a known device */
  signIn(from: string): Promise<Problem | undefined>;
  guest(address: string): Promise<Problem | undefined>;
  /** @param person the subject: what an order costs does not depend on where it comes from */
  order(person: string): Promise<Problem | undefined>;
}

type Limits = Pick<GatewayConfig, 'RATE_LIMIT_PER_10S' | 'SIGN_IN_LIMIT_PER_MINUTE' | 'GUEST_LIMIT_PER_MINUTE' | 'ORDER_LIMIT_PER_MINUTE'>;

export function addressLimits(config: Limits): AddressLimits {
  return {
    request: limiter(config.RATE_LIMIT_PER_10S, 10),
    signIn: limiter(config.SIGN_IN_LIMIT_PER_MINUTE, 60),
    guest: limiter(config.GUEST_LIMIT_PER_MINUTE, 60),
    order: limiter(config.ORDER_LIMIT_PER_MINUTE, 60),
  };
}

function limiter(points: number, duration: number): (address: string) => Promise<Problem | undefined> {
  const bucket = new RateLimiterMemory({ points, duration });
  return async (address) => {
    try {
      await bucket.consume(networkOf(address) || address);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes)
        return problem('too_many_requests', undefined, Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
      throw refusal;
    }
  };
}
