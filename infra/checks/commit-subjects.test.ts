import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkCommitSubjects } from './commit-subjects.ts';

let folder: string;
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder, encoding: 'utf8' }).trim();
const commit = (subject: string): string => {
  git(
    'commit',
    '--quiet',
    '--allow-empty',
    '--message',
    `${subject}\n\nA body may be wider than a subject, as wide as it likes to be, since it is wrapped.`,
  );
  return git('rev-parse', 'HEAD');
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'subjects-'));
  git('init', '--quiet');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('refuses a long subject of a new commit, and leaves old ones alone', () => {
  const long = `cart: ${'x'.repeat(55)}`;
  const begins = commit(long);
  commit(`cart: ${'y'.repeat(54)}`);
  expect(checkCommitSubjects(folder, begins)).toEqual([]);
  commit(long);
  expect(checkCommitSubjects(folder, begins)).toEqual([
    expect.objectContaining({ message: `a subject of 61 characters, 60 at most: ${long}` }),
  ]);
});

it('says that it was left out where the history does not reach back, or where there is none', () => {
  commit('cart: begin');
  const left = { leftOut: expect.stringMatching(/no history back to c446623/) as string };
  expect(checkCommitSubjects(folder)).toEqual(left);
  rmSync(join(folder, '.git'), { recursive: true });
  expect(checkCommitSubjects(folder)).toEqual(left);
});
