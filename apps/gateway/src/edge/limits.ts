/**
 * The limits of what the gateway takes: bounds for each address, and load shedding before anything is read or asked for.
 *
 * The bounds for each address are in this process' memory. They protect this replica from one busy client, not accounts from guessing. auth
 * counts failures by account and address in its store. Two replicas allow twice as much, which is harmless for bounds this wide.
 *
 * libs/mesh/src/server/load-shedding.ts says what is shed first, and why.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { LoadShedder, SheddingClass, ShedReason } from '@cloakroom/mesh';
import { networkOf } from '@cloakroom/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { GatewayConfig } from '../config.ts';
import { shed } from '../metrics.ts';

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

/** Clients that are refused together must not come back together. */
const retryAfterS = [1, 2, 3] as const;
let refusals = 0;

/**
 * Judges a request before its body is read, and counts nothing yet. Slow uploads would otherwise hold everybody's slots.
 * @returns what to answer instead
 */
export function shedAtTheDoor(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public' } = request.exchange?.policy ?? {};
  if (operationClass === 'operations') return undefined;
  return refused(reply, operationClass, shedder.refuses(operationClass));
}

/**
 * Judges and counts a request once its body has arrived.
 * @returns what to answer instead; otherwise the request is counted until its answer is over
 */
export function shedOrCount(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public', live = false } = request.exchange?.policy ?? {};
  // A live stream stays open, so it is counted by its own bound (STREAM_COUNT_MAX).
  // A response that has closed meanwhile emits no second `close`, so its slot would never be freed.
  if (operationClass === 'operations' || live || reply.raw.closed) return undefined;
  const place = shedder.enter(operationClass);
  if (typeof place !== 'function') return refused(reply, operationClass, place);
  reply.raw.on('close', place);
  return undefined;
}

function refused(reply: FastifyReply, operation: SheddingClass, reason: ShedReason | undefined): Problem | undefined {
  if (reason === undefined) return undefined;
  shed.inc({ operation, reason });
  reply.header('server-timing', `shed;desc="${operation} ${reason}"`);
  return problem('unavailable', undefined, retryAfterS[refusals++ % retryAfterS.length]);
}
