import { problem, type Problem } from '@cloakroom/contracts';

export interface Place {
  /** Goes before all that wait without it, and has its own waiting places, so that a crowd of others cannot keep it out. */
  readonly first?: boolean;
}

/**
 * Runs at most `running` at a time. At most `waiting` queue in order, behind at most `waitingFirst` that go before them. More are refused.
 * @param tell hears how many wait, whenever that changes
 */
export function boundedConcurrency(
  running: number,
  waiting: number,
  tell: (waitingCount: number) => void = () => undefined,
  waitingFirst = 0,
): <Result>(work: () => Promise<Result>, place?: Place) => Promise<Result | Problem> {
  let active = 0;
  const queue: (() => void)[] = [];
  const firstQueue: (() => void)[] = [];
  const told = (): void => tell(queue.length + firstQueue.length);
  const waitIn = (line: (() => void)[]): Promise<void> =>
    new Promise((resolve) => {
      line.push(resolve);
      told();
    });
  return async (work, { first = false } = {}) => {
    if (active < running) active += 1;
    // A finished run hands its place over, so `active` stays as it is.
    else if (first && firstQueue.length < waitingFirst) await waitIn(firstQueue);
    else if (queue.length < waiting) await waitIn(queue);
    else return problem('too_many_requests', undefined, 1);
    try {
      return await work();
    } finally {
      const next = firstQueue.shift() ?? queue.shift();
      if (next === undefined) active -= 1;
      else {
        told();
        next();
      }
    }
  };
}
