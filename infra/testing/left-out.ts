/** Suites that `npm test` could not run on this machine, and whether CI excuses that. */
export interface LeftOut {
  readonly suite: string;
  readonly why: string;
  /** True for a suite that needs a facility which a CI machine may lack, such as root on Linux. */
  readonly excused: boolean;
}

export function describeLeftOut({ suite, why, excused }: LeftOut): string {
  return `  LEFT OUT  ${suite}: ${why}${excused ? ' (no failure in CI either)' : ''}`;
}

/** In CI a test that did not run proves nothing, so it counts as failed. @returns the number of tests that count so */
export function countUnrun(leftOut: readonly LeftOut[], skipped: number, inCi: boolean): number {
  return inCi ? leftOut.filter(({ excused }) => !excused).length + skipped : 0;
}
