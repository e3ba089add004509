import { describe, expect, it } from 'vitest';
import { type Counts, type Failure, nameOf, noCounts } from './reports.ts';
import { mayBeAskedAgain, settle } from './second-attempt.ts';

const failure = (changes: Partial<Failure> = {}): Failure => ({ file: 'e2e/shop.e2e.ts', title: 'adds', error: 'Error: late', ...changes });
const failed = (...failures: Failure[]): Counts => ({ ...noCounts, passed: 10, failed: failures.length, failures });
const repeatable = new Set(['e2e-native', 'integration']);
const ask = (counts: Counts, name = 'e2e-native') =>
  mayBeAskedAgain(
    [
      { name: 'unit', counts: { ...noCounts, passed: 5 } },
      { name, counts },
    ],
    repeatable,
  );

describe('asks again', () => {
  it('a few that failed, in whatever suite can run them alone', () => {
    expect(ask(failed(failure(), failure(), failure()))).toBe(true);
    expect(ask(failed(failure({ file: 'apps/cart/src/x.int.test.ts' })), 'integration')).toBe(true);
  });
});

describe('does not ask again', () => {
  it.each([
    ['where nothing failed', failed()],
    ['more than three', failed(...Array.from({ length: 4 }, () => failure()))],
    ['what is no test: a stack that did not start, a file that does not load', failed(failure({ file: '' }))],
    ['where the runner failed more than it named', { ...failed(failure()), failed: 2 }],
    ['an attack that got through', failed(failure({ file: 'e2e/attacks/a-fixation.e2e.ts' }))],
    ['an attack that another file tries', failed(failure({ file: 'e2e/logout-kills-the-cookie-everywhere.e2e.ts' }))],
    ['what races on the session store', failed(failure({ file: 'libs/session/src/session.store.redis.int.test.ts' }))],
    [
      'a person taken for another, also beside a late answer',
      failed(failure({ error: 'Error: took 900 ms | Error: cell: is who they were' })),
    ],
    ['a secret that was found', failed(failure({ file: 'e2e/no-secret-leaves.e2e.ts' }))],
    ['a history that no good cart has', failed(failure({ file: 'e2e/carts-converge.e2e.ts' }))],
    ['a counter-example', failed(failure({ file: 'apps/cart/src/x.int.test.ts', error: 'Error: Property failed after 7 tests' }))],
    ['anything, where one of several may not be', failed(failure(), failure({ file: 'e2e/attacks/a-fixation.e2e.ts' }))],
  ])('%s', (_what, counts) => expect(ask(counts)).toBe(false));

  it('a suite that has no single tests, or none that depend on time', () => expect(ask(failed(failure()), 'e2e-chaos')).toBe(false));
});

const added = failure();
const removed = failure({ title: 'removes' });
const held = (...failures: Failure[]): Counts => ({ ...noCounts, passed: 20, held: ['e2e/other.e2e.ts > holds', ...failures.map(nameOf)] });

it('counts as passed what passed then, and keeps its first error', () => {
  const first = failed(added, removed);
  expect(settle(first, held(added, removed))).toEqual({ ...noCounts, passed: 12, again: first.failures });
});

it.each([
  ['failed again', { ...held(added), failed: 1, failures: [removed] }],
  ['was skipped or not run, whatever else passed', held(added)],
  ['passed, but something else failed beside it', { ...held(added, removed), failed: 1, failures: [failure({ file: '' })] }],
])('leaves it failed where one of them %s', (_what, second) => {
  const first = failed(added, removed);
  expect(settle(first, second)).toBe(first);
});
