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

/** Code that a reader knows by its text, the files that may hold it, and where all other code puts it. */
const placesOfNest: readonly { readonly text: RegExp; readonly files: readonly string[]; readonly message: string }[] = [
  {
    text: /\b(?:app|container|context|moduleRef)\.(?:get|resolve)\(/,
    files: ['libs/mesh/src/server/serve-service.ts'],
    message: 'takes a part out of the container: let Nest inject it',
  },
  {
    text: /\benableShutdownHooks\(|\bprocess\.on\('SIG/,
    files: ['libs/platform/src/process.ts'],
    message: 'ends by a signal of its own: a part stops in onApplicationShutdown',
  },
  {
    text: /\.addService\(/,
    files: ['libs/mesh/src/server/mesh-transport.ts', 'libs/mesh/src/server/standard-services.ts'],
    message: 'serves an rpc outside of a controller: write a method with @Rpc',
  },
  {
    // These files serve pages and their files, which are no API.
    text: /\b(?:server|fastify)\.(?:get|post|put|patch|delete|all|route)\(/,
    files: ['apps/gateway/src/edge/serve-api-docs.ts', 'apps/gateway/src/edge/serve-web.ts', 'apps/observatory/src/edge/serve-page.ts'],
    message: 'serves a route outside of a controller: write a method with its policy',
  },
];

/** Parts, lifecycle, rpcs and routes stand where Nest has a place for them (decisions 0022 and 0023). */
export function checkPlacesOfNest(sources: readonly SourceFile[]): Violation[] {
  return sources
    .filter(({ path }) => /^(?:apps|libs)\//.test(path) && isProduct(path))
    .flatMap(({ path, text }) =>
      placesOfNest
        .filter((place) => !place.files.includes(path))
        .flatMap((place) =>
          text.split('\n').flatMap((line, index) => (place.text.test(line) ? [{ path, line: index + 1, message: place.message }] : [])),
        ),
    );
}
