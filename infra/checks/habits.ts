/** House rules about single files: how long, who reads the environment, what a test may not contain. */
import type { SourceFile } from './sources.ts';
import type { Violation } from './tree.ts';

const fileLinesMax = 300;
const functionLinesMax = 60;
/** Stands in the file, or in the function, that must be longer, followed by why. */
const reason = /\b[Ll]onger because\b/;

/** A file or function that outgrows a screenful or a reader's head says why, or is split along its story. */
export function checkSizes(sources: readonly SourceFile[]): Violation[] {
  return sources
    .filter((source) => !source.isTest)
    .flatMap((source) => {
      const head = source.text.split('\n', 12).join('\n');
      const file =
        source.lineCount > fileLinesMax && !reason.test(head)
          ? [
              {
                path: source.path,
                message: `${source.lineCount} lines, ${fileLinesMax} at most: split it, or write "Longer because ..." at its head`,
              },
            ]
          : [];
      const functions = source.functions
        .filter((one) => one.lineCount > functionLinesMax && !reason.test(one.text))
        .map((one) => ({
          path: source.path,
          line: one.line,
          message: `a function (${one.name}) of ${one.lineCount} lines, ${functionLinesMax} at most: split it, or write "Longer because ..." in it`,
        }));
      return [...file, ...functions];
    });
}

/** Configuration enters by one door, so that every violation is reported at once and nothing depends on a hidden variable. */
export function checkEnvironmentReaders(sources: readonly SourceFile[]): Violation[] {
  const mayRead = (path: string): boolean =>
    /^(infra|e2e|labs)\//.test(path) ||
    path.endsWith('.int.test.ts') ||
    path.endsWith('.config.ts') ||
    /^apps\/[^/]+\/src\/config\.ts$/.test(path) ||
    path === 'libs/platform/src/config.ts';
  return sources
    .filter((source) => !mayRead(source.path))
    .flatMap((source) =>
      source.envReads.map((line) => ({ path: source.path, line, message: "reads process.env: only an app's config.ts does" })),
    );
}

const focused = /\b(?:it|test|describe)\.(?:only|skip|todo)\(|expect\(true\)/;
const sleeping = /await (?:setTimeout|sleep|delay)\(/;

/** Of vitest, of Playwright, and of a whole file. */
const askedAgain = /\bretr(?:y|ies)\s*:\s*[1-9]|--retr(?:y|ies)\b/;
const runsTests = /^(?:vitest\.config|e2e\/[^/]+\.config|infra\/testing\/test\.suites|labs\/attacks\/playwright)\.ts$/;

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
