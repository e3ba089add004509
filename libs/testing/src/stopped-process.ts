import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const stoppedWithinMs = 10_000;
const betweenLooksMs = 5;
/** States of a thread that is stopped or has ended. */
const stopped: ReadonlySet<string> = new Set(['T', 'Z', 'X']);

/**
 * Waits until a process has really stopped after SIGSTOP, because a signal only asks. The threads of a JVM go on until each has been told.
 * On a busy machine that takes tens of milliseconds, and meanwhile a broker "that is paused" answers. Where the system has no /proc there
 * is nothing to look at, so it settles at once.
 *
 * @throws Error when a thread still runs after 10 s. The process is then continued, because the caller has not
 * come far enough to undo the stop.
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

/** The state of each thread as one letter: proc(5), "stat", field 3. The name before it may contain spaces and parentheses. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return [stat.charAt(stat.lastIndexOf(')') + 2)];
    } catch {
      // The thread ended between the two looks.
      return [];
    }
  });
}
