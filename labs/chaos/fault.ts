/** The parts that every fault is made of. */
import { StackError } from '../../infra/stack/outcome.ts';
import type { ProcessName } from '../../infra/stack/stack.ts';
import type { RunningProcess } from '../../infra/launch/harness.ts';
import type { PlannedFault } from './schedule.ts';
import { within } from './stage.ts';
import type { Stage } from './stage.ts';

export interface Injection {
  /** Checks that the target is really away, late or skewed. @returns the reason for a doubt, or undefined */
  doubt(): Promise<string | undefined>;
  /** Undoes the fault, even a half-finished one. Resolves when it is undone, and does it within `healTimeoutMs`. */
  heal(): Promise<void>;
}

export type Inject = (stage: Stage, planned: PlannedFault) => Promise<Injection>;

/**
 * The time that the stack allows for a broker's start (stage.ts): a killed broker reads its log back. On a machine with 40 processes waiting for 2
 * cores it took more than 90 s.
 */
export const healTimeoutMs = 180_000;

/** Waits until the target's process runs: an earlier fault may just have killed it. */
export async function runningProcess(stage: Stage, target: string): Promise<RunningProcess> {
  const process = stage.stack.process(target as ProcessName);
  if (await within(process.waitUntilReplaced(-1), healTimeoutMs)) return process;
  throw new StackError(`${target} is not ready`, `read ${stage.stack.spec.dataDir}/logs/${target}.log`);
}

/** @throws StackError when it takes too long */
export async function bounded(what: string, promise: Promise<unknown>): Promise<void> {
  if (!(await within(promise, healTimeoutMs))) throw new StackError(`${what} took longer than ${healTimeoutMs / 1000} s`, 'read its log');
}
