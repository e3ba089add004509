/**
 * Which failures are asked about once more when all else has ended, and nothing runs beside. Tests that kill and pause real processes hold them to
 * half seconds, two rows of suites share the machine, and others may share it too: such a failure is seen about once in 10,000 tests. What passes
 * then counts as passed and is printed with its first error, so that it is seen: it is a defect of the test or of the shop, and stays one.
 *
 * Never asked again:
 * - more than a few: then it is not the machine;
 * - what no single test failed, and suites that say nothing of time (check, unit, attack-proof) or judge a whole run (chaos);
 * - where an attack got through, a secret leaked, somebody was taken for another, a history is one that no good cart or session has, or a
 *   counter-example was found: one such is enough.
 */
import { attacks } from './attacks/catalogue.ts';
import { type Counts, type Failure, nameOf } from './reports.ts';

const failureCountMax = 3;
const attempted = new Set(attacks.flatMap(({ triedBy }) => triedBy.map(({ file }) => file)));
/** The session store's tests run histories of libs/testing, under names of their own. */
const verdictFiles = /(^|\/)(attacks|fuzz)\/|no-secret-leaves|carts-converge|^libs\/session\//;
const verdictErrors = /Property failed|Counterexample|is who they were|renewed as the same session/i;

export interface Attempt {
  readonly name: string;
  readonly counts: Counts;
}

/** @param repeatable the names of the suites that can run a few files alone */
export function mayBeAskedAgain(attempts: readonly Attempt[], repeatable: ReadonlySet<string>): boolean {
  const failed = attempts.filter(({ counts }) => counts.failed > 0);
  const failures = failed.flatMap(({ counts }) => counts.failures);
  const count = failed.reduce((sum, { counts }) => sum + counts.failed, 0);
  if (count === 0 || count > failureCountMax || count !== failures.length) return false;
  return failed.every(({ name }) => repeatable.has(name)) && failures.every((each) => !isVerdict(each));
}

const isVerdict = ({ file, error }: Failure): boolean =>
  file === '' || attempted.has(file) || verdictFiles.test(file) || verdictErrors.test(error);

/** What counts of both attempts: of the second only whether nothing failed, and each that had failed passed. */
export function settle(first: Counts, second: Counts): Counts {
  const held = new Set(second.held);
  if (second.failed > 0 || !first.failures.every((each) => held.has(nameOf(each)))) return first;
  return { ...first, passed: first.passed + first.failed, failed: 0, failures: [], again: [...first.again, ...first.failures] };
}
