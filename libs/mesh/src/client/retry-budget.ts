/**
 * Bounds the retries: a tenth of the requests. While a peer fails, a retry of every request doubles the load on its remaining capacity. Three layers
 * that each try three times make 27 calls of one (SRE book, "Handling Overload"). So only one layer repeats anything: the gateway's question to auth
 * about the caller's identity (apps/gateway/src/identity/resolve-at-auth.ts). It pays from this budget. Nothing else in the mesh repeats a call, and
 * grpc-js' own retries are off.
 *
 * A token bucket (Finagle's RetryBudget, gRFC A6): each request puts a tenth in, each retry takes one out.
 */

/** A tenth of the requests. */
const depositPart = 0.1;
/** The most that a quiet minute may save up: enough for a burst of retries after a blip. */
const tokensMax = 10;
/** A process that has just begun may retry too. */
const tokensAtStart = 5;

export interface RetryBudget {
  /** A request was made for the first time. */
  deposit(): void;
  /** Takes one token. False: the failure stands. */
  withdraw(): boolean;
}

export function openRetryBudget(): RetryBudget {
  // Counted in tenths, because a sum of 0.1 never comes to exactly 1.
  const unit = Math.round(1 / depositPart);
  let tenths = tokensAtStart * unit;
  return {
    deposit: () => void (tenths = Math.min(tokensMax * unit, tenths + 1)),
    withdraw() {
      if (tenths < unit) return false;
      tenths -= unit;
      return true;
    },
  };
}
