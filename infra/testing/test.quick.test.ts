import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { choose, quickNotes } from './test.ts';
import { integrationFiles, onEmbedded, quickFiles, stages } from './test.suites.ts';

const names = (choice: Parameters<typeof choose>[0]) => choose(choice).map(({ name }) => name);

it('a quick run checks, runs the unit tests, and shows a part on real servers and in a browser', () => {
  expect(names({ quick: true }).toSorted()).toEqual(['check', 'e2e-embedded', 'integration', 'unit']);
  const whole = stages.flat(2).find(({ name }) => name === 'integration')!;
  const quick = choose({ quick: true }).find(({ name }) => name === 'integration')!;
  expect(quick.run).not.toBe(whole.run);
});

it('a run of what is affected checks everything, and asks nx for the unit tests of what changed; a whole run does not', () => {
  expect(names({ affected: true })).toEqual(['check', 'unit']);
  const unit = (choice: Parameters<typeof choose>[0]) => choose(choice).find(({ name }) => name === 'unit')!.run;
  expect(unit({ affected: true })).not.toBe(unit({}));
  expect(choose({ affected: true }).find(({ name }) => name === 'check')!.run).toBe(choose({})[0]!.run);
});

it('a quick run names files that are there, since a filter that finds none proves nothing', () => {
  expect(quickFiles.length).toBeGreaterThan(0);
  expect(quickFiles.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
});

it('each name that embedded runs is that of a file', () => {
  const files = globSync('e2e/**/*.e2e.ts', { cwd: repository, exclude: ['**/node_modules/**'] });
  expect(onEmbedded.filter((part) => !files.some((file) => file.includes(part)))).toEqual([]);
});

it('each test against real servers is in one of the suites, once', () => {
  const all = globSync('**/*.int.test.ts', { cwd: repository, exclude: ['**/node_modules/**', '**/dist/**'] });
  const suites = (['integration', 'integration-labs', 'benches'] as const).map(integrationFiles);
  expect(suites.every((files) => files.length > 0)).toBe(true);
  expect(suites.flat().toSorted()).toEqual(all.toSorted());
});

it('says that it was a part, and when it took longer than it may', () => {
  expect(quickNotes(200)).toEqual([expect.stringMatching(/a part of the tests/)]);
  expect(quickNotes(361)).toEqual([expect.stringMatching(/a part of the tests/), expect.stringMatching(/took 361 s; 360 s are meant/)]);
});

it('runs what it is told, and all when it is told nothing', () => {
  expect(names({ only: ['unit', 'check'] })).toEqual(['check', 'unit']);
  expect(names({})).toEqual(stages.flat(2).map(({ name }) => name));
  expect(() => choose({ only: ['units'] })).toThrow(/no suite units/);
  expect(() => choose({ only: ['unit'], quick: true })).toThrow(/--quick chooses/);
  expect(() => choose({ only: ['unit'], affected: true })).toThrow(/--affected chooses/);
  expect(() => choose({ affected: true, quick: true })).toThrow(/--quick chooses/);
});

it('the help of npm test names every suite', () => {
  const help = readFileSync(join(repository, 'infra/cli.ts'), 'utf8');
  for (const name of names({})) expect(help).toContain(name);
});
