/**
 * What a crowded machine may add to a promise of time. Tests hold the shop to half seconds, on machines that others use too. A wider bound would
 * make the test weaker on a quiet machine as well. So the crowd is measured in the same run, while the test waits, as a control: how many
 * threads wanted a core, for each core there is. A core that three want does a third of the work for each.
 *
 * Only the room for work is stretched, never the promise: `expect(tookMs).toBeLessThan(budgetMs + crowd.roomMs(400))`.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Crowd {
  /**
   * @param quietMs what the work beside the promise takes on a quiet machine; that much at least, and more by how crowded it was since
   * @param mostMs never more than this. Where the work is the promise, name half of what the missing defence would take: else a crowd hides it.
   */
  roomMs(quietMs: number, mostMs?: number): number;
}

export interface Machine {
  readonly coreCount: number;
  /** Threads that run or want to, now. */
  runnableCount(): number;
}

const sampleIntervalMs = 50;
/** Ten minutes: longer than any test. */
const sampleCountMax = 12_000;
/** More crowded than that, a test says nothing either way. Suites that share two cores came to 4, eight other workers beside them to 15. */
const crowdMax = 15;

/** @returns a function that begins to watch; one timer serves all, and keeps no process alive */
export function openCrowds(machine: Machine): () => Crowd {
  const samples: number[] = [];
  let forgotten = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    samples.push(machine.runnableCount());
    if (samples.length <= sampleCountMax) return;
    samples.shift();
    forgotten += 1;
  };
  return () => {
    timer ??= setInterval(look, sampleIntervalMs).unref();
    const first = forgotten + samples.length;
    look();
    return {
      roomMs(quietMs, mostMs = Number.POSITIVE_INFINITY) {
        look();
        const since = samples.slice(Math.max(0, first - forgotten));
        const mean = since.reduce((sum, runnable) => sum + runnable, 0) / since.length;
        return Math.min(mostMs, quietMs * Math.min(crowdMax, Math.max(1, mean / machine.coreCount)));
      },
    };
  };
}

export const watchCrowd = openCrowds({
  // The threads that are counted are those of the whole machine, so its cores are too: this process may be allowed fewer.
  coreCount: Math.max(cpus().length, availableParallelism()),
  runnableCount() {
    try {
      // "0.98 0.66 0.37 2/412 9731": two of 412 threads run or want to, this one among them.
      return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]!.split('/', 1)[0]);
    } catch {
      // Not Linux: the average of a minute is the nearest there is.
      return loadavg()[0]!;
    }
  },
});
