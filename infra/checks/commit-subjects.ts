/** Subjects of commits fit the width in which git, forges and mail show them. */
import { execFileSync } from 'node:child_process';
import type { LeftOut, Violation } from './tree.ts';

const subjectLengthMax = 60;
/** The rule holds for what is newer: older subjects stay as they were written. */
const ruleBegins = 'c4466232e8124435c7f2e96cb4b3def3e9b2d763';

export function checkCommitSubjects(root: string, begins = ruleBegins): Violation[] | LeftOut {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  let base: string;
  try {
    base = git('merge-base', 'HEAD', begins).trim();
  } catch {
    return { leftOut: `this copy has no history back to ${begins.slice(0, 7)}` };
  }
  return git('log', '--no-merges', '--format=%h %s', `${base}..HEAD`)
    .split('\n')
    .map((line) => ({ hash: line.slice(0, line.indexOf(' ')), subject: line.slice(line.indexOf(' ') + 1) }))
    .filter(({ subject }) => subject.length > subjectLengthMax)
    .map(({ hash, subject }) => ({
      path: hash,
      message: `a subject of ${subject.length} characters, ${subjectLengthMax} at most: ${subject}`,
    }));
}
