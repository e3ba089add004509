/** Suites that `npm test` could not run on this machine, and whether CI forgives that. */
export interface LeftOut {
  readonly suite: string;
  readonly why: string;
  /** Of a suite that needs what a machine in CI may lack: root on Linux. */
  readonly excused: boolean;
}

export function describeLeftOut({ suite, why, excused }: LeftOut): string {
  return `  LEFT OUT  ${suite}: ${why}${excused ? ' (no failure in CI either)' : ''}`;
}

/** In CI a test that did not run proves nothing, so it counts as one that failed. @returns how many count so */
export function countUnrun(leftOut: readonly LeftOut[], skipped: number, inCi: boolean): number {
  return inCi ? leftOut.filter(({ excused }) => !excused).length + skipped : 0;
}
