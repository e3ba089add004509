/** The environment variables that documents and .env.example name are read by somebody, and what an operator may set is in .env.example. */
import { errorTable } from '@cloakroom/contracts';
import type { Tree, Violation } from './tree.ts';

export const exampleFile = '.env.example';

/** Read by a config, and not for an operator: why. */
const notForOperators: Readonly<Record<string, string>> = {
  ACCESS_TOKEN_LIFETIME_MS: 'shorter than its default in tests alone',
  OBSERVATORY_URL: 'npm start sets it, for the Observatory of that start',
  OBSERVATORY_PAGE_KEY: 'npm start sets it, for the Observatory of that start',
  CART_HISTORY_PROGRAM: 'npm start sets it, for the Observatory of that start',
  CART_LOGS: 'npm start sets it, for the Observatory of that start',
  OBSERVATORY_WEB_DIR: 'npm start sets it, for the Observatory of that start',
  OBSERVATORY_SPAN_KEY: 'npm start sets it, for the Observatory of that start',
  LABS_DIR: 'npm start sets it, for the Observatory of that start',
  LABS_KEPT_DIR: 'a test sets it, so that a person’s own results stay as they are',
  SHOP_URL: 'npm start sets it, for the Observatory of that start',
  OCEAN_URL: 'npm start sets it, for the Observatory of that start',
  OCEAN_KEY: 'npm start sets it, for the Observatory of that start',
  DEVELOPER_SECRET_FILE: 'npm start sets it, for the Observatory of that start',
};

const isConfig = (path: string): boolean => /^apps\/\w+\/src\/config\.ts$/.test(path) || path === 'libs/platform/src/config.ts';
/** Commands, suites and images also read the environment, or hand it on. */
const isReader = (path: string): boolean =>
  isConfig(path) || (/^(?:infra|e2e|labs)\/.*(?:\.m?ts|Dockerfile)$/.test(path) && !/\.test\.ts$|^infra\/checks\//.test(path));

/** Keys of a schema: `SESSION_MODE: mode.default(...)`. */
const keysOf = (text: string): string[] => [...text.matchAll(/^\s+([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]!);
const word = /[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+/;

/** @returns whether some file that reads the environment names it, whole or as `DATABASE_URL_${name}` */
function openReaders(tree: Tree): (name: string) => boolean {
  const known = new Set<string>();
  const beginnings = new Set<string>();
  for (const path of tree.files.filter(isReader)) {
    const text = tree.read(path);
    for (const key of isConfig(path) ? keysOf(text) : []) known.add(key);
    for (const [, name] of text.matchAll(/(?:['"`]|\.env\.|\benv\.|^ARG |^ENV )([A-Z][A-Z0-9_]*)\b(?!\$)/gm)) known.add(name!);
    for (const [, name] of text.matchAll(/`([A-Z][A-Z0-9_]*_)\$\{/g)) beginnings.add(name!);
  }
  return (name) => known.has(name) || [...beginnings].some((beginning) => name.startsWith(beginning));
}

/** Words in capitals that are none: what gRPC calls an outcome. */
const statuses = new Set<string>(Object.values(errorTable).map(({ grpc }) => grpc));

/** `CI=true`, `SESSION_MODE`: with a line or a value, or between backticks. */
function namesIn(content: string): string[] {
  const assigned = [...content.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map((match) => match[1]!);
  const quoted = [...content.matchAll(/`([^`]+)`/g)].flatMap(([, text]) => [
    ...text!.matchAll(new RegExp(`(?<![\\w-])${word.source}(?![\\w-])`, 'g')),
  ]);
  return [...new Set([...assigned, ...quoted.map((match) => match[0])])].filter((name) => !statuses.has(name));
}

export function checkEnvironmentNames(tree: Tree, documents: readonly string[]): Violation[] {
  const isRead = openReaders(tree);
  return [...documents, exampleFile].flatMap((path) =>
    tree
      .read(path)
      .split('\n')
      .flatMap((content, index) =>
        (path === exampleFile ? (nameOfLine(content) ?? []) : namesIn(content))
          .filter((name) => !isRead(name))
          .map((name) => ({ path, line: index + 1, message: `names ${name}, which nothing reads` })),
      ),
  );
}

/** `#NAME=value` is a line of .env.example that is left out until somebody wants it. */
const nameOfLine = (content: string): string[] | undefined => /^#?([A-Z][A-Z0-9_]*)=/.exec(content)?.slice(1);

/** A config that is not valid sends its reader to .env.example: it must say every name there is. */
export function checkExampleIsWhole(tree: Tree): Violation[] {
  const named = new Set(
    tree
      .read(exampleFile)
      .split('\n')
      .flatMap((line) => nameOfLine(line) ?? []),
  );
  const read = tree.files.filter(isConfig).flatMap((path) => keysOf(tree.read(path)).map((name) => ({ path, name })));
  return read
    .filter(({ name }) => !named.has(name) && !(name in notForOperators))
    .map(({ path, name }) => ({ path, message: `reads ${name}, which ${exampleFile} does not name` }));
}

/** @param told what is right, by name: the default of the code, and what infra/stack/stack.ts tells */
export function checkExampleValues(text: string, told: ReadonlyMap<string, ReadonlySet<string>>): Violation[] {
  return text.split('\n').flatMap((content, index) => {
    const [, name = '', value = ''] = /^#?([A-Z][A-Z0-9_]*)=(.*)$/.exec(content) ?? [];
    const right = told.get(name);
    if (right === undefined || right.has(value)) return [];
    return [{ path: exampleFile, line: index + 1, message: `says ${name}=${value}: the code has ${[...right].join(' or ')}` }];
  });
}
