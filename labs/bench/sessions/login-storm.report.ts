/** The table and the goal of `npm run bench -- login-storm`. */
import type { StormPair } from './login-storm.ts';
import { middle, ms, range, rate, two } from '../measuring/figures.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Report } from '../measuring/report.ts';
import { spread } from '../measuring/statistics.ts';

/** The storm may use idle time, and at most three quarters of the time that was in use. */
const throughputGoal = 0.25;

export function loginStormReport(pairs: readonly StormPair[], machine: Machine, command: string): Report {
  const throughput = spread(pairs.map(({ quiet, storm }) => storm.perSecond / quiet.perSecond));
  const tail = spread(pairs.map(({ quiet, storm }) => storm.p99Ms / quiet.p99Ms));
  const row = (name: string, of: 'quiet' | 'storm'): string[] => [
    name,
    rate(middle(pairs, (pair) => pair[of].perSecond)),
    ms(middle(pairs, (pair) => pair[of].p50Ms)),
    ms(middle(pairs, (pair) => pair[of].p99Ms)),
  ];
  const sum = (of: 'looked' | 'shed'): number => pairs.reduce((total, { storm }) => total + storm[of], 0);
  return {
    name: 'login-storm',
    title: 'What a storm of sign-ins costs those who are signed in',
    machine,
    command,
    method: [
      `auth in a process of its own, store and database in memory; 8 callers resolve as fast as they are answered, quiet and with 64 attackers in turn, ${pairs.length} pairs; ratios are taken within a pair.`,
      `Each attacker signs in with another account from another network every 20 ms; of their sign-ins ${sum('looked')} were looked at and ${sum('shed')} refused.`,
      'Attackers, callers and auth share the machine, so the figures hold what sending the storm costs too.',
    ],
    tables: [{ head: ['resolve', 'throughput', 'p50', 'p99'], rows: [row('quiet', 'quiet'), row('during the storm', 'storm')] }],
    verdicts: [
      {
        goal: `resolve keeps ${throughputGoal} of its throughput at least`,
        measured: `${range(throughput)}; p99 ${two(tail.median)} times`,
        met: throughput.median >= throughputGoal,
      },
    ],
    charts: [],
    data: pairs,
  };
}
