import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { prettyLine } from './logs.ts';
import { noCounts, readCheckOutput, readPlaywrightReport, readVitestReport, withExitCode } from './reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'cloakroom-reports-'));
afterAll(() => rmSync(folder, { recursive: true }));

function reportOf(content: unknown): string {
  const file = join(folder, 'report.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

it('counts a test file that does not load as a failure', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{}] },
  ];
  const file = reportOf({ numPassedTests: 1, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1, testResults });
  expect(readVitestReport(file)).toEqual({ passed: 1, failed: 1, skipped: 3 });
});

it('counts a flaky browser test as passed and an unexpected one as failed', () => {
  expect(readPlaywrightReport(reportOf({ stats: { expected: 3, flaky: 1, unexpected: 2, skipped: 4 } }))).toEqual({
    passed: 4,
    failed: 2,
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
  });
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
