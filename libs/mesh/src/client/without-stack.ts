/**
 * grpc-js notes the caller's stack at each call, for the error that it may make, which was 7 % of a request at the gateway. Here failures become
 * Problems, and the stack of a call that the network failed tells nothing. Synchronous, so nobody else's error is made meanwhile.
 */
export function withoutStack<Result>(work: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
