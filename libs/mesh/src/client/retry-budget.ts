/**
 * How much may be repeated: a tenth of what was asked. While a peer fails, a retry of every request doubles the load on what is left of it, and
 * three layers that each try three times make 27 of one (SRE book, "Handling Overload"). So there is one layer that repeats anything, the
 * gateway's question to auth who somebody is (apps/gateway/src/identity/resolve-at-auth.ts), and it pays from this budget. Nothing else in the mesh
 * repeats a call, and grpc-js' own retries are off.
 *
 * A token bucket (Finagle's RetryBudget, gRFC A6): each request puts a tenth in, each retry takes one out.
 */

/** A tenth of the requests. */
const depositPart = 0.1;
/** What a quiet minute may save up: a burst of retries after a blip, no more. */
const tokensMax = 10;
/** A process that has just begun may repeat something too. */
const tokensAtStart = 5;

export interface RetryBudget {
  /** A request was made for the first time. */
  deposit(): void;
  /** Takes one; false: the failure stands. */
  withdraw(): boolean;
}

export function openRetryBudget(): RetryBudget {
  // Counted in tenths: a sum of 0.1 never comes to exactly 1.
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
