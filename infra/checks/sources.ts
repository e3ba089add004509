/** The facts that the checks need about each TypeScript file, parsed once. */
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';
import type { Tree } from './tree.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
  /** The file it names, for a relative import of a file of ours. */
  readonly target: string | undefined;
}

/** A block comment, or line comments on lines that follow each other. */
export interface Comment {
  /** The number of its first line. */
  readonly line: number;
  /** Line by line, without the marks around it. */
  readonly lines: readonly string[];
}

export interface SourceFile {
  readonly path: string;
  /** The folder of its package.json: "apps/cart", "libs/session", "infra", "e2e"; undefined outside any. */
  readonly package: string | undefined;
  readonly isTest: boolean;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly comments: readonly Comment[];
}

const isSource = (path: string): boolean => /\.(ts|tsx|mts)$/.test(path) && !path.endsWith('.d.ts') && !path.includes('/gen/');
/** Code that a reader copies out of a library: a test runs it, and nothing imports it. */
export const isExample = (path: string): boolean => /^libs\/[^/]+\/example\//.test(path);
const isTestPath = (path: string): boolean =>
  /\.(test|e2e|contract|harness)\.tsx?$/.test(path) || path.startsWith('e2e/') || isExample(path);

/** Code that is read to understand the product: no test, and nothing that only tests use. */
export const isProduct = (path: string): boolean =>
  isSource(path) && !isExample(path) && !/\.(test|e2e|contract|harness|fixture)\.tsx?$/.test(path);

export function readSources(tree: Tree): SourceFile[] {
  const packages = tree.files.filter((path) => path.endsWith('/package.json')).map((path) => posix.dirname(path));
  const files = new Set(tree.files);
  return tree.files.filter(isSource).map((path) => {
    const home = packages.filter((folder) => path.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0];
    return readSource(path, home, tree.read(path), files);
  });
}

function readSource(path: string, home: string | undefined, text: string, files: ReadonlySet<string>): SourceFile {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]!.message}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineOf = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const isAlone = (offset: number): boolean => text.slice(lineStarts[lineOf(offset) - 1], offset).trim() === '';
  return {
    path,
    package: home,
    isTest: isTestPath(path),
    text,
    imports: readImports(path, text, parsed, lineOf, files),
    comments: readComments(parsed.comments, lineOf, isAlone),
  };
}

type Parsed = ReturnType<typeof parseSync>;

function readImports(path: string, text: string, parsed: Parsed, lineOf: (offset: number) => number, files: ReadonlySet<string>): Import[] {
  const imports: Import[] = [];
  const add = (specifier: string, start: number, typeOnly: boolean): void => {
    const joined = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    const target =
      joined === undefined
        ? undefined
        : [joined, `${joined}.ts`, `${joined}.tsx`, `${joined}/index.ts`].find((candidate) => files.has(candidate));
    imports.push({ specifier, line: lineOf(start), typeOnly, target });
  };
  for (const { moduleRequest, start, entries } of parsed.module.staticImports) {
    add(moduleRequest.value, start, entries.length > 0 && entries.every((entry) => entry.isType));
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const entry of entries) if (entry.moduleRequest) add(entry.moduleRequest.value, entry.start, entry.isType);
  }
  for (const { moduleRequest } of parsed.module.dynamicImports) {
    const literal = /^['"](.+)['"]$/.exec(text.slice(moduleRequest.start, moduleRequest.end));
    if (literal) add(literal[1]!, moduleRequest.start, false);
  }
  return imports;
}

function readComments(comments: Parsed['comments'], lineOf: (offset: number) => number, isAlone: (offset: number) => boolean): Comment[] {
  const read: { line: number; lines: string[]; continues: boolean }[] = [];
  for (const { type, value, start } of comments) {
    const line = lineOf(start);
    const before = read.at(-1);
    const continues = type === 'Line' && isAlone(start);
    if (continues && before?.continues === true && before.line + before.lines.length === line) before.lines.push(value);
    else read.push({ line, lines: value.split('\n').map((each) => each.replace(/^\s*\*/, '')), continues });
  }
  return read.map(({ line, lines }) => ({ line, lines }));
}
