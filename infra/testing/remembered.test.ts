import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { allPassed, describeRemembered, describeTree } from './remembered.ts';
import { noCounts } from './reports.ts';
import { stages } from './test.suites.ts';

const target = (
  JSON.parse(readFileSync(join(repository, 'infra/package.json'), 'utf8')) as {
    nx: { targets: { suite: { inputs: unknown[]; cache: boolean; configurations: Record<string, { name: string }> } } };
  }
).nx.targets.suite;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-tree-'));
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a tree is another one when a file of it was written, also with text of the same length, and not when an ignored file was', () => {
  const seen: string[] = [];
  const look = () => seen.push(describeTree(folder));
  writeFileSync(join(folder, '.gitignore'), 'reports\n');
  writeFileSync(join(folder, 'a.ts'), 'one');
  look();
  writeFileSync(join(folder, 'reports'), '');
  look();
  writeFileSync(join(folder, 'a.ts'), 'two');
  utimesSync(join(folder, 'a.ts'), 1, 1);
  look();
  rmSync(join(folder, 'a.ts'));
  look();
  expect(seen[1]).toBe(seen[0]);
  expect(new Set(seen).size).toBe(3);
});

it('nx knows every suite that needs a part of the machine, by its name', () => {
  const names = stages
    .flat(2)
    .filter(({ needs }) => needs.length > 0)
    .map(({ name }) => name);
  expect(Object.keys(target.configurations).toSorted()).toEqual(names.toSorted());
  for (const [name, options] of Object.entries(target.configurations)) expect(options.name).toBe(name);
});

it('every file of the tree is an input of a suite that nx remembers', () => {
  expect(target.cache).toBe(true);
  expect(target.inputs).toContain('{workspaceRoot}/**/*');
});

it('a suite is remembered only where every test passed', () => {
  expect(allPassed({ ...noCounts, passed: 3 })).toBe(true);
  expect(allPassed({ ...noCounts, passed: 3, failed: 1 })).toBe(false);
  expect(allPassed({ ...noCounts, passed: 3, skipped: 1 })).toBe(false);
  expect(allPassed(noCounts)).toBe(false);
});

it('says of a suite that it did not run now, when it did, and how to run it again', () => {
  const told = describeRemembered('labs', { counts: noCounts, seconds: 61.4, endedAt: '2026-01-02T03:04:05.678Z' });
  expect(told).toBe(
    '  REMEMBERED  labs: passed on this very tree at 2026-01-02T03:04:05.678Z, in 61 s. To run it again: npm test -- --again',
  );
});
