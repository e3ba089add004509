import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const stoppedWithinMs = 10_000;
const betweenLooksMs = 5;
/** Stopped, or at its end. */
const stopped: ReadonlySet<string> = new Set(['T', 'Z', 'X']);

/**
 * To be awaited after SIGSTOP: a signal only asks. A JVM's threads go on until each has been told, for tens of milliseconds on a busy machine, and
 * meanwhile a broker "that is paused" answers.
 * Where the system has no /proc there is nothing to look at, and it settles at once.
 * @throws Error when a thread still runs after 10 s; the process then goes on, as nobody has got as far as to undo it
 */
export async function untilStopped(pid: number): Promise<void> {
  if (process.platform !== 'linux') return;
  for (let waitedMs = 0; ; waitedMs += betweenLooksMs) {
    const running = threadsOf(pid).filter((state) => !stopped.has(state));
    if (running.length === 0) return;
    if (waitedMs >= stoppedWithinMs) {
      process.kill(pid, 'SIGCONT');
      throw new Error(`process ${pid}: ${running.length} threads still run (${running.join('')})`);
    }
    await delay(betweenLooksMs);
  }
}

/** The state of each thread, a letter: proc(5), "stat", field 3, after a name that may hold spaces and parentheses. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return [stat.charAt(stat.lastIndexOf(')') + 2)];
    } catch {
      // Ended between the two looks.
      return [];
    }
  });
}
