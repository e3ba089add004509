/** House rules that no linter has: how full a folder is, and what a test may not contain. */
import { posix } from 'node:path';
import { isProduct, type SourceFile } from './sources.ts';
import type { Violation } from './tree.ts';

/** As many as a reader takes in at a look. */
const folderFilesMax = 25;

/** A folder holds one idea. Tests, fixtures, harnesses, contracts and generated code do not count. */
export function checkFolders(sources: readonly SourceFile[]): Violation[] {
  const folders = Map.groupBy(
    sources.map(({ path }) => path).filter((path) => isProduct(path)),
    (path) => posix.dirname(path),
  );
  return [...folders]
    .filter(([, files]) => files.length > folderFilesMax)
    .map(([path, files]) => ({
      path,
      message: `a folder of ${files.length} sources, ${folderFilesMax} at most: give each idea in it a folder`,
    }));
}

const lintSwitchedOff = /\b(?:oxlint|eslint)-disable\b/;

/** A place that a lint rule leaves alone says why: `oxlint-disable-next-line max-lines-per-function -- Longer because ...`. */
export function checkLintReasons(sources: readonly SourceFile[]): Violation[] {
  return sources.flatMap(({ path, comments }) =>
    comments
      .filter(({ lines: [first = ''] }) => lintSwitchedOff.test(first) && !/ -- \S/.test(first))
      .map(({ line }) => ({ path, line, message: 'switches a lint rule off without a reason: write `-- why` behind its name' })),
  );
}

const focused = /\b(?:it|test|describe)\.(?:only|skip|todo)\(|expect\(true\)/;
const sleeping = /await (?:setTimeout|sleep|delay)\(/;

/** The options of vitest, of Playwright, and of a whole file. */
const askedAgain = /\bretr(?:y|ies)\s*:\s*[1-9]|--retr(?:y|ies)\b/;
const runsTests = /^(?:(?:.*\/)?vitest\.config|e2e\/[^/]+\.config|infra\/testing\/test\.suites|labs\/attacks\/playwright)\.ts$/;

/** A test that passes at its second try has failed (decision 0019). */
export function checkNoSecondTry(sources: readonly SourceFile[]): Violation[] {
  return sources
    .filter((source) => (source.isTest || runsTests.test(source.path)) && !source.path.startsWith('infra/checks/'))
    .flatMap((source) =>
      source.text
        .split('\n')
        .flatMap((line, index) =>
          askedAgain.test(line) ? [{ path: source.path, line: index + 1, message: 'asks a test again: find the cause' }] : [],
        ),
    );
}

/** A focused, skipped or empty test proves nothing; a test that sleeps waits too long or not long enough. */
export function checkTests(sources: readonly SourceFile[]): Violation[] {
  return sources
    .filter((source) => source.isTest && !source.path.startsWith('infra/checks/'))
    .flatMap((source) =>
      source.text.split('\n').flatMap((line, index) => {
        const at = { path: source.path, line: index + 1 };
        if (focused.test(line)) return [{ ...at, message: 'a focused, skipped or empty test' }];
        if (sleeping.test(line) && !line.includes('not a wait:')) return [{ ...at, message: 'sleeps: wait for a condition with a bound' }];
        return [];
      }),
    );
}

/** index.ts is the root of a library and nothing else. */
export function checkIndexFiles(sources: readonly SourceFile[]): Violation[] {
  return sources
    .filter(({ path }) => /(^|\/)index\.tsx?$/.test(path) && !/^libs\/[^/]+\/src\/index\.ts$/.test(path) && path !== 'infra/index.ts')
    .map(({ path }) => ({ path, message: 'index.ts stands only at the root of a library: name the file after what it does' }));
}
