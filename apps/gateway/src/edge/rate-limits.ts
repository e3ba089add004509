/**
 * Bounds for each address, in this process' memory. They protect this replica from one busy client, not accounts from guessing. auth counts
 * failures by account and address in its store. Two replicas allow twice as much, which is harmless for bounds this wide.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import { networkOf } from '@cloakroom/platform';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { GatewayConfig } from '../config.ts';

export interface AddressLimits {
  /** @returns what to answer when the address has had its share */
  request(address: string): Promise<Problem | undefined>;
  /**
   * A known device has a share of its own, whatever strangers at its address have used up.
   * @param knownAccount the account that knows this browser as its device; undefined if none does
   */
  signIn(address: string, knownAccount: string | undefined): Promise<Problem | undefined>;
  guest(address: string): Promise<Problem | undefined>;
  /** @param person the subject: the cost of an order does not depend on the address that it comes from */
  order(person: string): Promise<Problem | undefined>;
}

type Limits = Pick<GatewayConfig, 'RATE_LIMIT_PER_10S' | 'SIGN_IN_LIMIT_PER_MINUTE' | 'GUEST_LIMIT_PER_MINUTE' | 'ORDER_LIMIT_PER_MINUTE'>;

/**
 * The known accounts of one address share this many shares, enough for a household. Each sign-in makes another cookie, and anybody may make
 * accounts. So neither the cookie nor the account alone is a bound.
 */
const knownSharesOfAddress = 5;

export function addressLimits(config: Limits): AddressLimits {
  const { SIGN_IN_LIMIT_PER_MINUTE: signIns } = config;
  const [request, guest] = [limiter(config.RATE_LIMIT_PER_10S, 10), limiter(config.GUEST_LIMIT_PER_MINUTE, 60)];
  const [ofStrangers, ofAccount, ofKnown] = [limiter(signIns, 60), limiter(signIns, 60), limiter(signIns * knownSharesOfAddress, 60)];
  return {
    request: (address) => request(networkOf(address)),
    signIn: async (address, knownAccount) => {
      const network = networkOf(address);
      // The account's own share comes first: one that floods must not use up the share of the others at its address.
      return knownAccount === undefined ? ofStrangers(network) : ((await ofAccount(`${network} ${knownAccount}`)) ?? ofKnown(network));
    },
    guest: (address) => guest(networkOf(address)),
    order: limiter(config.ORDER_LIMIT_PER_MINUTE, 60),
  };
}

function limiter(points: number, duration: number): (key: string) => Promise<Problem | undefined> {
  const bucket = new RateLimiterMemory({ points, duration });
  return async (key) => {
    try {
      await bucket.consume(key);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes)
        return problem('too_many_requests', undefined, Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
      throw refusal;
    }
  };
}
