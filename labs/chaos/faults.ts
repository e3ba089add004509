/** Maps each fault name of the schedule to its function. */
import type { Inject } from './fault.ts';
import { kill, pause, rebalance } from './faults.processes.ts';
import { cut, diskFull, hold, latency, partition, reset, skew, slots } from './faults.surroundings.ts';
import { mirror, ocean, region } from './faults.regions.ts';
import type { FaultName } from './schedule.ts';

export const faults: Readonly<Record<FaultName, Inject>> = {
  kill,
  pause,
  cut,
  hold,
  latency,
  reset,
  skew,
  rebalance,
  'disk-full': diskFull,
  slots,
  partition,
  'ocean-cut': ocean,
  'ocean-hold': ocean,
  'ocean-slow': ocean,
  mirror,
  region,
};
