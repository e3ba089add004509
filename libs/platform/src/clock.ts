/** Time comes in as an argument, so that tests bring their own. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary start: the only clock for leases, time-outs and durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** All day long, NTP slews the two clocks of one machine apart by less than this in 30 s. A sleep or a set clock moves them further. */
const sleptMs = 250;

/** How far the wall clock is ahead of the monotonic one. Only changes matter: the machine slept, or the clock was set. */
export const wallAheadMs = (clock: Clock): number => clock.nowMs() - clock.monotonicMs();
export const hasSlept = (clock: Clock, aheadThenMs: number): boolean => Math.abs(wallAheadMs(clock) - aheadThenMs) > sleptMs;
