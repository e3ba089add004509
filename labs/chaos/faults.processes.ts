/** Faults of processes: some die, and some live but do not answer. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { probeOf } from '../../infra/supervisor/supervisor.ts';
import { bounded, runningProcess } from './fault.ts';
import type { Inject, Injection } from './fault.ts';
import { randomOf } from './random.ts';
import { isCart } from './schedule.ts';
import type { Stage } from './stage.ts';

export const kill: Inject = async (stage, { target }) => {
  const process = await runningProcess(stage, target);
  const pid = process.pid();
  await process.takeAway();
  return {
    doubt: async () => {
      if (pid !== undefined && isAlive(pid)) return `process ${pid} is alive`;
      return answers(stage, target);
    },
    heal: () => bounded(`the start of ${target}`, process.giveBack()),
  };
};

const stoppedWithinMs = 1_000;

/** Stops the process with all its children: PostgreSQL runs one process per connection. */
export const pause: Inject = async (stage, { target }) => {
  const process = await runningProcess(stage, target);
  const stopped = processTree(process.pid()!);
  signalAll(stopped, 'SIGSTOP');
  return {
    doubt: async () => {
      // A JVM has a hundred threads to stop, so this waits for all of them.
      const running = () => stopped.filter((pid) => stateOf(pid) !== 'T' && isAlive(pid));
      for (let waitedMs = 0; running().length > 0 && waitedMs < stoppedWithinMs; waitedMs += 20) await delay(20);
      return running().length > 0 ? `process ${running().join(', ')} runs` : answers(stage, target);
    },
    heal: () => {
      signalAll(stopped, 'SIGCONT');
      return Promise.resolve();
    },
  };
};

/** Kafka removes a silent member after its session time-out (sessionTimeoutMs in event-log.kafka.consumer.ts). This is a moment longer. */
const beyondSessionMs = 6_600;
const betweenMs = 700;

/** Keeps the projectors' group rebalancing: a member is silent beyond its session, comes back, dies, is replaced. */
export const rebalance: Inject = (stage, planned) => {
  const carts = Object.keys(stage.stack.processes).filter(isCart);
  const random = randomOf(Math.floor(planned.dial * 2 ** 32));
  const stop = new AbortController();
  const sleep = (ms: number) => delay(ms, undefined, { signal: stop.signal }).catch(() => undefined);
  let hits = 0;
  const storm = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const target = random.pick(carts);
      const silent = random.next() < 0.5;
      const hit: Injection = await (silent ? pause : kill)(stage, { ...planned, target });
      hits += 1;
      await sleep(silent ? beyondSessionMs : betweenMs);
      await hit.heal();
      await sleep(betweenMs);
    }
  };
  const running = storm();
  // `heal` handles a rejection, which may be much later.
  running.catch(() => undefined);
  return Promise.resolve({
    doubt: async () => {
      for (let waitedMs = 0; hits === 0 && waitedMs < 2_000; waitedMs += 50) await sleep(50);
      return hits > 0 ? undefined : 'no member was hit';
    },
    heal: async () => {
      stop.abort();
      await bounded('the end of the rebalances', running);
    },
  });
};

/** @returns the reason to doubt that the target is gone. A broker, not MirrorMaker, answers for it, and counts it for a while after its end. */
export async function answers(stage: Stage, target: string): Promise<string | undefined> {
  const { health } = stage.stack.spec.processes.find(({ name }) => name === target)!;
  if (health.kind === 'kafka-group') return undefined;
  return (await probeOf(health)()).ok ? `${target} answers` : undefined;
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has gone meanwhile.
    }
  }
}

function processTree(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return [pid, ...children.flatMap(processTree)];
  } catch {
    // The machine has no Linux, or the process is gone.
    return [pid];
  }
}

/** The kernel's letter for the process state: T is stopped, Z dead. Undefined where there is no such process, or no such kernel. */
function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return stateOf(pid) !== 'Z';
  } catch {
    return false;
  }
}
