/** What the checks need to know of each TypeScript file, parsed once. */
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { Tree } from './tree.ts';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased at build: does not make a circle at run time. */
  readonly typeOnly: boolean;
  /** The file it names, for a relative import of a file of ours. */
  readonly target: string | undefined;
}

export interface SourceFile {
  readonly path: string;
  /** The folder of its package.json: "apps/cart", "libs/session", "infra", "e2e"; undefined outside any. */
  readonly package: string | undefined;
  readonly isTest: boolean;
  readonly text: string;
  readonly lineCount: number;
  readonly imports: readonly Import[];
  readonly functions: readonly { readonly name: string; readonly line: number; readonly lineCount: number; readonly text: string }[];
  /** Lines that read process.env. */
  readonly envReads: readonly number[];
}

const isSource = (path: string): boolean => /\.(ts|tsx|mts)$/.test(path) && !path.endsWith('.d.ts') && !path.includes('/gen/');
const isTestPath = (path: string): boolean => /\.(test|e2e|contract|harness)\.tsx?$/.test(path) || path.startsWith('e2e/');

export function readSources(tree: Tree): SourceFile[] {
  const packages = tree.files.filter((path) => path.endsWith('/package.json')).map((path) => posix.dirname(path));
  return tree.files.filter(isSource).map((path) => {
    const home = packages.filter((folder) => path.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0];
    return readSource(path, home, tree);
  });
}

function readSource(path: string, home: string | undefined, tree: Tree): SourceFile {
  const text = tree.read(path);
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]!.message}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineOf = (offset: number): number => lineStarts.findLastIndex((start) => start <= offset) + 1;
  const functions: { name: string; line: number; lineCount: number; text: string }[] = [];
  const envReads: number[] = [];
  const onFunction = (node: { start: number; end: number; id?: { name: string } | null }): void => {
    const [line, end] = [lineOf(node.start), lineOf(node.end)];
    functions.push({
      name:
        node.id?.name ??
        text
          .slice(Math.max(0, node.start - 40), node.start)
          .trim()
          .split(/\s+/)
          .at(-2) ??
        '(anonymous)',
      line,
      lineCount: end - line + 1,
      text: text.slice(node.start, node.end),
    });
  };
  new Visitor({
    FunctionDeclaration: onFunction,
    FunctionExpression: onFunction,
    ArrowFunctionExpression: onFunction,
    MemberExpression: (node) => {
      if (
        node.object.type === 'Identifier' &&
        node.object.name === 'process' &&
        node.property.type === 'Identifier' &&
        node.property.name === 'env'
      )
        envReads.push(lineOf(node.start));
    },
  }).visit(parsed.program);
  return {
    path,
    package: home,
    isTest: isTestPath(path),
    text,
    lineCount: lineStarts.length - (text.endsWith('\n') ? 1 : 0),
    imports: readImports(path, parsed, lineOf, tree),
    functions,
    envReads,
  };
}

function readImports(path: string, parsed: ReturnType<typeof parseSync>, lineOf: (offset: number) => number, tree: Tree): Import[] {
  const imports: Import[] = [];
  const add = (specifier: string, start: number, typeOnly: boolean): void => {
    const joined = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    const target =
      joined === undefined
        ? undefined
        : [joined, `${joined}.ts`, `${joined}.tsx`, `${joined}/index.ts`].find((candidate) => tree.files.includes(candidate));
    imports.push({ specifier, line: lineOf(start), typeOnly, target });
  };
  for (const { moduleRequest, start, entries } of parsed.module.staticImports) {
    add(moduleRequest.value, start, entries.length > 0 && entries.every((entry) => entry.isType));
  }
  for (const { entries } of parsed.module.staticExports) {
    for (const entry of entries) if (entry.moduleRequest) add(entry.moduleRequest.value, entry.start, entry.isType);
  }
  for (const { moduleRequest } of parsed.module.dynamicImports) {
    const literal = /^['"](.+)['"]$/.exec(tree.read(path).slice(moduleRequest.start, moduleRequest.end));
    if (literal) add(literal[1]!, moduleRequest.start, false);
  }
  return imports;
}
