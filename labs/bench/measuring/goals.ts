/** Goals of a benchmark in two steps: what is aimed at, and what must hold. */
import type { Verdict } from './report.ts';

export interface Bounds {
  readonly goal: number;
  /** The bound that must hold. One above the goal says that less is better. */
  readonly least: number;
}

/** @param say names the figure with a bound, as in "replay at 0.5 of bare consumption" */
export function graded(say: (bound: number) => string, { goal, least }: Bounds, value: number, measured: string): Verdict[] {
  const reaches = (bound: number): boolean => (goal < least ? value <= bound : value >= bound);
  return [
    { goal: say(goal), measured, met: reaches(goal) },
    { goal: `${say(least)}, which must hold`, measured, met: reaches(least) },
  ];
}
