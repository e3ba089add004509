/**
 * Which failures are asked about once more, alone, when all else has ended. Tests that kill and pause real processes hold them to half seconds, two
 * rows of suites share the machine, and others may share it too: a failure of that kind is seen about once in 10,000 tests. What passes then
 * counts as passed and is printed with its first error, so that it is seen: it is a defect of the test or of the shop, and stays one.
 *
 * Never asked again:
 * - more than a few: then it is not the machine;
 * - what no single test failed, and all suites that say nothing of time (check, unit, attack-proof) or whose verdict is about a whole run (chaos);
 * - what found a counter-example, a way in, a secret or a history that no good cart has: one such is enough.
 */
import type { Counts, Failure } from './reports.ts';

const failureCountMax = 3;
const verdicts = /(^|\/)(attacks|fuzz)\/|no-secret-leaves|carts-converge/;
const counterExample = /Property failed|Counterexample/i;

export interface Attempt {
  readonly name: string;
  readonly counts: Counts;
}

/** @param repeatable the names of the suites whose tests can be run one by one */
export function mayBeAskedAgain(attempts: readonly Attempt[], repeatable: ReadonlySet<string>): boolean {
  const failed = attempts.filter(({ counts }) => counts.failed > 0);
  const failures = failed.flatMap(({ counts }) => counts.failures);
  const count = failed.reduce((sum, { counts }) => sum + counts.failed, 0);
  if (count === 0 || count > failureCountMax || count !== failures.length) return false;
  return failed.every(({ name }) => repeatable.has(name)) && failures.every(isOfTheMachine);
}

const isOfTheMachine = ({ file, error }: Failure): boolean => file !== '' && !verdicts.test(file) && !counterExample.test(error);

/** What counts of both attempts: of the second only whether everything that had failed was run and passed. */
export function settle(first: Counts, second: Counts): Counts {
  if (second.failed > 0 || second.passed < first.failed) return first;
  return { ...first, passed: first.passed + first.failed, failed: 0, failures: [], again: [...first.again, ...first.failures] };
}
