/** Documents are held to the code: a table that drifts and a path that moved are worse than none. */
import { posix } from 'node:path';
import { errorTable } from '@cloakroom/contracts';
import type { Tree, Violation } from './tree.ts';

/** docs/errors.md has one row a code: | `code` | HTTP | gRPC | text | ... */
export function checkErrorTable(
  tree: Tree,
  table: Readonly<Record<string, { grpc: string; http: number; text: string }>> = errorTable,
): Violation[] {
  const path = 'docs/errors.md';
  if (!tree.files.includes(path)) return [{ path, message: 'is missing' }];
  const rows = new Map(
    tree
      .read(path)
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .filter((cells) => /^`[a-z_]+`$/.test(cells[1] ?? ''))
      .map((cells) => [cells[1]!.slice(1, -1), cells] as const),
  );
  const missing = Object.entries(table).flatMap(([code, { grpc, http, text }]) => {
    const row = rows.get(code);
    if (row === undefined) return [{ path, message: `has no row for \`${code}\`` }];
    return row[2] === String(http) && row[3]?.replaceAll('`', '') === grpc && row[4] === text
      ? []
      : [{ path, message: `\`${code}\` must read | ${http} | ${grpc} | ${text} |` }];
  });
  return [
    ...missing,
    ...[...rows.keys()].filter((code) => !(code in table)).map((code) => ({ path, message: `\`${code}\` is not in the error table` })),
  ];
}

/** A path as a pattern that means itself. */
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const named = /`((?:apps|libs|infra|labs|e2e|tools|docs|\.ci)\/[\w./*-]*|[\w.-]+\.(?:json|md|tsx?|mjs))`/g;

/** Paths in backticks exist. A `*` stands for any name. */
export function checkNamedPaths(tree: Tree, documents: readonly string[]): Violation[] {
  const exists = (path: string): boolean => {
    if (path.includes('*')) return tree.files.some((file) => new RegExp(`^${path.split('*').map(literally).join('[^/]*')}`).test(file));
    return tree.files.some((file) => file === path || file.startsWith(path.endsWith('/') ? path : `${path}/`));
  };
  // A bare file name is fine when some file is called so.
  const exactOrNamed = (path: string): boolean =>
    exists(path) || (!path.includes('/') && tree.files.some((file) => file.endsWith(`/${path}`)));
  return documents.flatMap((path) => {
    if (!tree.files.includes(path)) return [{ path, message: 'is missing' }];
    return tree
      .read(path)
      .split('\n')
      .flatMap((line, index) =>
        [...line.matchAll(named)]
          .filter((match) => !exactOrNamed(match[1]!))
          .map((match) => ({ path, line: index + 1, message: `names ${match[1]}, which does not exist` })),
      );
  });
}

const bare = /(?<![\w/.-])(?:(?:apps|libs|infra|labs|e2e)\/[\w./-]*\w\.(?:ts|mjs|yaml|json)|docs\/[\w./-]*\w\.md)\b/g;

/** Settings and manifests name files in comments, without backticks: those exist too. Output of a build (`dist`) is in no tree. */
export function checkBarePaths(tree: Tree, paths: readonly string[]): Violation[] {
  return paths.flatMap((path) =>
    tree
      .read(path)
      .split('\n')
      .flatMap((line, index) =>
        [...line.matchAll(bare)]
          .map((match) => match[0])
          .filter((name) => !name.includes('/dist/') && !tree.files.includes(name))
          .map((name) => ({ path, line: index + 1, message: `names ${name}, which does not exist` })),
      ),
  );
}

/** In a line of comment: `add-item.ts`, `commands/add-item.ts`. */
const inComment = /(?<![\w/.@-])(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:tsx?|mjs)\b/g;

/** A comment that sends its reader to a file names one that exists. Whole paths and the ends of paths will do. */
export function checkCommentedFiles(tree: Tree, paths: readonly string[]): Violation[] {
  const known = new Set(tree.files.flatMap((file) => file.split('/').map((_, at, parts) => parts.slice(at).join('/'))));
  return paths.flatMap((path) =>
    tree
      .read(path)
      .split('\n')
      .flatMap((line, index) =>
        /^\s*(?:\/\/|\/?\*)/.test(line)
          ? [...line.matchAll(inComment)]
              .filter(([name]) => !known.has(name))
              .map(([name]) => ({ path, line: index + 1, message: `a comment names ${name}, which does not exist` }))
          : [],
      ),
  );
}

/** A link to a file of ours leads somewhere. */
export function checkLinks(tree: Tree, documents: readonly string[]): Violation[] {
  return documents.flatMap((path) =>
    tree
      .read(path)
      .split('\n')
      .flatMap((line, index) =>
        [...line.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
          .map((match) => posix.join(posix.dirname(path), match[1]!).replace(/\/$/, ''))
          .filter((target) => !tree.files.some((file) => file === target || file.startsWith(`${target}/`)))
          .map((target) => ({ path, line: index + 1, message: `links to ${target}, which does not exist` })),
      ),
  );
}

/** A quotation of so many words is the title of a test, or its beginning before ` ...`; a shorter one is a word. */
const titleWordsMin = 4;

/** A document quotes tests that exist: a promise without its test is worse than a gap that is named. */
export function checkQuotedTests(tree: Tree, path: string): Violation[] {
  if (!tree.files.includes(path)) return [{ path, message: 'is missing' }];
  const tests = tree.files.filter((file) => /\.(test|e2e)\.ts$/.test(file)).map((file) => tree.read(file));
  return tree
    .read(path)
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/"([^"]*)"/g)]
        .map((match) => match[1]!)
        .filter((quoted) => quoted.split(' ').length >= titleWordsMin)
        .map((quoted) => quoted.replace(/ \.\.\.$/, ''))
        .filter((title) => !tests.some((text) => text.includes(title)))
        .map((title) => ({ path, line: index + 1, message: `quotes "${title}", which no test is called` })),
    );
}
