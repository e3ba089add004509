/**
 * Runs the planned faults one after another, some beside each other. It always undoes every fault before it returns. schedule.ts makes the plan. A
 * late fault delays the faults after it, so that no more is broken at once than planned.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Recorder } from '@cloakroom/testing';
import { labelOf } from './fault-settings.ts';
import { faults } from './faults.ts';
import type { PlannedFault } from './schedule.ts';
import type { Stage } from './stage.ts';

export interface Hit {
  readonly planned: PlannedFault;
  readonly label: string;
  /** bit: the target was seen to be away. doubtful: it was not, for the reason given. failed: the fault could not be done, or not be undone. */
  readonly end: 'bit' | 'doubtful' | 'failed';
  readonly why?: string | undefined;
  /** True when the stack cannot be trusted any more. */
  readonly unhealed: boolean;
}

export interface Rampage {
  readonly stage: Stage;
  readonly plan: readonly PlannedFault[];
  /** No fault begins that would end after this, however late the faults before it were. */
  readonly totalMs: number;
  readonly recorder: Pick<Recorder, 'fault'>;
  /** Ends the run early: heals the broken parts, and breaks nothing more. */
  readonly signal: AbortSignal;
  /** Gets the faults of this moment, for the line of progress. */
  readonly onChange: (broken: readonly string[]) => void;
}

/** The shortest pause, however late a fault is: clients must get on with their work, or the history proves nothing. */
const breathMs = 1_500;

/** @returns one hit for each fault that was begun */
export async function rampage({ stage, plan, totalMs, recorder, signal, onChange }: Rampage): Promise<Hit[]> {
  const began = performance.now();
  const broken = new Set<string>();
  const hits: Promise<Hit>[] = [];
  const sleep = (ms: number) => (ms <= 0 ? Promise.resolve() : delay(ms, undefined, { signal }).catch(() => undefined));
  const strike = async (planned: PlannedFault): Promise<Hit> => {
    const what = `${labelOf(planned)} ${planned.target}`;
    const over = recorder.fault(labelOf(planned), planned.target);
    broken.add(what);
    onChange([...broken]);
    const hit = await inflict(stage, planned, sleep);
    broken.delete(what);
    onChange([...broken]);
    over();
    return hit;
  };
  for (const [index, planned] of plan.entries()) {
    const before = plan.slice(0, index).map((earlier, at) => ({ earlier, hit: hits[at]! }));
    const ended = before.filter(({ earlier }) => earlier.startMs + earlier.forMs <= planned.startMs).map(({ hit }) => hit);
    const dueMs = began + planned.startMs - performance.now();
    await sleep(dueMs);
    await Promise.all(ended);
    if (dueMs < 0 && ended.length === before.length) await sleep(breathMs);
    if (signal.aborted || performance.now() - began + planned.forMs > totalMs) break;
    hits.push(strike(planned));
  }
  return Promise.all(hits);
}

async function inflict(stage: Stage, planned: PlannedFault, sleep: (ms: number) => Promise<unknown>): Promise<Hit> {
  const hit = { planned, label: labelOf(planned) };
  const began = performance.now();
  let injection;
  try {
    injection = await faults[planned.name](stage, planned);
  } catch (error) {
    return { ...hit, end: 'failed', why: textOf(error), unhealed: false };
  }
  let doubt: string | undefined;
  try {
    doubt = await injection.doubt();
    await sleep(planned.forMs - (performance.now() - began));
  } catch (error) {
    doubt = textOf(error);
  }
  try {
    await injection.heal();
  } catch (error) {
    return { ...hit, end: 'failed', why: textOf(error), unhealed: true };
  }
  return { ...hit, end: doubt === undefined ? 'bit' : 'doubtful', why: doubt, unhealed: false };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
