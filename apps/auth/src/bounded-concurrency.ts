import { problem, type Problem } from '@cloakroom/contracts';

/**
 * Runs at most `running` at a time; at most `waiting` queue in order; more are refused.
 * @param tell hears how many wait, whenever that changes
 */
export function boundedConcurrency(
  running: number,
  waiting: number,
  tell: (waitingCount: number) => void = () => undefined,
): <Result>(work: () => Promise<Result>) => Promise<Result | Problem> {
  let active = 0;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (active < running) active += 1;
    else if (queue.length >= waiting) return problem('too_many_requests', undefined, 1);
    // Whoever ends hands its place over: `active` stays as it is.
    else await new Promise<void>((resolve) => tell(queue.push(resolve)));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) active -= 1;
      else {
        tell(queue.length);
        next();
      }
    }
  };
}
