import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { prettyLine } from '../cli/logs.ts';
import { repository } from '../stack/folders.ts';
import {
  describeFailures,
  noCounts,
  readCheckOutput,
  readLabsOutput,
  readPlaywrightReport,
  readProofOutput,
  readVitestReport,
  withExitCode,
} from './reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'cloakroom-reports-'));
afterAll(() => rmSync(folder, { recursive: true }));

function reportOf(content: unknown): string {
  const file = join(folder, 'report.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

it('counts a lab for each verdict, and says which was another one than before', () => {
  const counts = readLabsOutput(
    '\n== sticky\nok    sticky\nFAIL  jwt: "JWT is faster" holds, and full runs say: does not hold\nlabs: 1 as before, 1 not',
  );
  expect(counts).toMatchObject({ passed: 1, failed: 1, failures: [{ title: 'jwt', error: expect.stringContaining('full runs say') }] });
});

it('counts a test file that does not load, or fails outside of its tests, as a failure', () => {
  const holds = { status: 'passed', ancestorTitles: ['a cart'], title: 'holds' };
  const testResults = [
    { name: join(repository, 'libs/x.test.ts'), status: 'failed', message: '\nSyntaxError: no\n at x', assertionResults: [] },
    { name: join(repository, 'libs/y.test.ts'), status: 'passed', assertionResults: [holds] },
    { name: join(repository, 'libs/z.test.ts'), status: 'failed', message: 'afterAll: no', assertionResults: [holds] },
  ];
  const file = reportOf({ numPassedTests: 2, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1, testResults });
  expect(readVitestReport(file)).toEqual({
    passed: 2,
    failed: 2,
    skipped: 3,
    failures: [
      { file: 'libs/x.test.ts', title: 'did not load', error: 'SyntaxError: no' },
      { file: 'libs/z.test.ts', title: 'outside of its tests', error: 'afterAll: no' },
    ],
  });
});

it('counts a browser test that passed only at a second try as failed', () => {
  const stats = { expected: 3, flaky: 1, unexpected: 2, skipped: 4 };
  expect(readPlaywrightReport(reportOf({ stats, suites: [], errors: [], config: { rootDir: '' } }))).toMatchObject({
    passed: 3,
    failed: 3,
    skipped: 4,
  });
});

it('takes no report for no tests, and a bad exit for a failure', () => {
  expect(readVitestReport(join(folder, 'none.json'))).toBeUndefined();
  expect(withExitCode(noCounts, 1).failed).toBe(1);
  expect(withExitCode({ ...noCounts, failed: 2 }, 1).failed).toBe(2);
});

it('counts a rule a line', () => {
  expect(readCheckOutput('ok   types\nFAIL sizes\n     infra/x.ts too long\nok   lint\ncheck: 1 rule broken\n')).toEqual({
    passed: 2,
    failed: 1,
    skipped: 0,
    failures: [{ file: '', title: 'sizes', error: 'infra/x.ts too long' }],
  });
});

it('names each failed test of vitest by its file and title, with the first line of its error', () => {
  const red = '\u001B[31m';
  const assertionResults = [
    { status: 'passed', ancestorTitles: [], title: 'holds' },
    { status: 'failed', ancestorTitles: ['a cart'], title: 'adds', failureMessages: [`${red}Error: 1 is not 2\n    at cart.ts:3`] },
    { status: 'failed', ancestorTitles: [], title: 'says nothing', failureMessages: [] },
  ];
  const testResults = [{ name: join(repository, 'apps/cart/src/model/cart.test.ts'), status: 'failed', assertionResults }];
  const file = reportOf({ numPassedTests: 1, numFailedTests: 2, numPendingTests: 0, numTodoTests: 0, testResults });
  expect(readVitestReport(file)?.failures).toEqual([
    { file: 'apps/cart/src/model/cart.test.ts', title: 'a cart > adds', error: 'Error: 1 is not 2' },
    { file: 'apps/cart/src/model/cart.test.ts', title: 'says nothing', error: '' },
  ]);
});

it('names each unexpected browser test, however deep, by the errors of its last try, and what failed beside all tests', () => {
  const spec = (title: string, status: string, ...messages: string[]) => ({
    title,
    file: 'shop.e2e.ts',
    tests: [{ status, results: messages.map((message) => ({ errors: message.split('; ').map((each) => ({ message: each })) })) }],
  });
  const suites = [
    {
      title: 'shop.e2e.ts',
      specs: [
        spec('orders once', 'unexpected', 'first try', 'second try\nmore; and late'),
        spec('holds', 'expected'),
        spec('flickers', 'flaky', 'once'),
      ],
      suites: [{ title: 'a guest', specs: [spec('signs in', 'unexpected', 'no')] }],
    },
  ];
  const stats = { expected: 0, flaky: 1, unexpected: 2, skipped: 0 };
  const report = reportOf({ stats, suites, errors: [{ message: 'no browser' }], config: { rootDir: join(repository, 'e2e') } });
  expect(readPlaywrightReport(report)?.failures).toEqual([
    { file: '', title: 'of no test', error: 'no browser' },
    { file: 'e2e/shop.e2e.ts', title: 'orders once', error: 'second try | and late' },
    { file: 'e2e/shop.e2e.ts', title: 'flickers', error: 'once' },
    { file: 'e2e/shop.e2e.ts', title: 'a guest > signs in', error: 'no' },
  ]);
});

it('tells why a runner ended that ran no test: its set-up threw', () => {
  const stats = { expected: 0, flaky: 0, unexpected: 0, skipped: 0 };
  const errors = [{ message: 'Error: auth-2 is not ready after 90 s' }];
  const report = reportOf({ stats, suites: [], errors, config: { rootDir: join(repository, 'e2e') } });
  const counts = withExitCode(readPlaywrightReport(report)!, 1);
  expect(counts.failed).toBe(1);
  expect(counts.failures.map(({ title, error }) => [title, error])).toEqual([
    ['ended with exit code 1', 'outside of its tests'],
    ['of no test', 'Error: auth-2 is not ready after 90 s'],
  ]);
});

it('tells of a browser test’s error its place, and what was expected and received', () => {
  const message = 'Error: expect(received).toBe(expected)\n\nExpected: 1\nReceived: 2\n\n  40 |';
  const results = [{ errors: [{ message, location: { file: join(repository, 'e2e/carts/one.e2e.ts'), line: 31, column: 3 } }] }];
  const suites = [
    { title: 'one.e2e.ts', specs: [{ title: 'counts once', file: 'one.e2e.ts', tests: [{ status: 'unexpected', results }] }] },
  ];
  const stats = { expected: 0, flaky: 0, unexpected: 1, skipped: 0 };
  const report = reportOf({ stats, suites, errors: [], config: { rootDir: join(repository, 'e2e') } });
  expect(readPlaywrightReport(report)?.failures.map(({ error }) => error)).toEqual([
    'e2e/carts/one.e2e.ts:31: Error: expect(received).toBe(expected), Expected: 1, Received: 2',
  ]);
});

it('tells at the end which tests of which suite failed, and no more of them than a person reads', () => {
  const failed = (file: string, title: string, error: string) => ({ ...noCounts, failed: 1, failures: [{ file, title, error }] });
  const lines = describeFailures([
    { name: 'check', counts: withExitCode(noCounts, 2) },
    { name: 'unit', counts: failed('a.test.ts', 'adds', 'Error: no') },
    { name: 'attack-proof', counts: readProofOutput('proven x\nSURVIVED no mutual TLS\n') },
    { name: 'e2e', counts: { ...noCounts, passed: 3 } },
  ]);
  expect(lines).toEqual([
    '  FAILED  check > ended with exit code 2',
    '          and reported no failed test',
    '  FAILED  unit > a.test.ts > adds',
    '          Error: no',
    '  FAILED  attack-proof > SURVIVED no mutual TLS',
  ]);
  const many = Array.from({ length: 75 }, () => ({ file: '', title: 't', error: '' }));
  const told = describeFailures([{ name: 'unit', counts: { ...noCounts, failures: many } }]);
  expect([told.length, told.at(-1)]).toEqual([61, '  ... and 15 more']);
});

it('shows a JSON entry as a line and leaves other programs’ lines alone', () => {
  const entry = {
    level: 'warn',
    time: '2026-11-24T10:00:00.500Z',
    service: 'cart',
    msg: 'slow',
    topic: 'cart.events',
    err: { message: 'late' },
  };
  expect(prettyLine(JSON.stringify(entry))).toBe('10:00:00.500 WARN  slow topic=cart.events late');
  expect(prettyLine('* Ready to accept connections')).toBe('* Ready to accept connections');
  expect(prettyLine('{not json')).toBe('{not json');
});
