/**
 * Extra time that a test may give a crowded machine. Tests hold the shop to half seconds, on machines that others use too. A wider bound
 * would make the test weaker on a quiet machine as well.
 *
 * So the same run measures the crowd while the test waits, as a control. It counts the threads that want a core, for each core of the
 * machine. A core that three threads want does a third of the work for each. Only the room for work is stretched, never the promise:
 * `expect(tookMs).toBeLessThan(budgetMs + crowd.roomMs(400))`.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Crowd {
  /**
   * @param quietMs time that the work beside the promise takes on a quiet machine. The result is at least this, and grows with the crowd since then.
   * @param mostMs upper limit. Where the work itself is the promise, give half of the time that a missing defence would take: else a crowd hides it.
   */
  roomMs(quietMs: number, mostMs?: number): number;
}

export interface Machine {
  readonly coreCount: number;
  /** Threads that run or want to run now. */
  runnableCount(): number;
}

const sampleIntervalMs = 50;
/** Ten minutes of samples: longer than any test. */
const sampleCountMax = 12_000;
/**
 * On a more crowded machine a test proves nothing either way. Suites that share two cores came to 4;
 * with eight other workers they came to 15.
 */
const crowdMax = 15;

/** @returns a function that begins to watch. One timer serves all watchers, and it keeps no process alive. */
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
  // Threads are counted on the whole machine, so its cores are too. This process may be allowed fewer cores.
  coreCount: Math.max(cpus().length, availableParallelism()),
  runnableCount() {
    try {
      // "0.98 0.66 0.37 2/412 9731": two of 412 threads run or want to run. This thread is one of the two.
      return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]!.split('/', 1)[0]);
    } catch {
      // Other systems than Linux: the average of the last minute is the nearest figure.
      return loadavg()[0]!;
    }
  },
});
