/**
 * `npx nx g @cloakroom/tools:service wishlist`: a service that works at once, to be changed into the one that you need. Files come from the templates
 * in files/; what other files say about all services gets one more (edits.ts). What is made of those is made anew at the end: generated code, the
 * lock file, compose and Kubernetes.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Tree } from 'nx/src/devkit-exports';
import { edits, manifestOf } from './edits.ts';

const templates = join(import.meta.dirname, 'files');
/** The folder of a service, and by its words those of its contract, host and environment. */
const nameShape = /^[a-z]{2,16}$/;
/** npm looks at every package of the lock file. */
const commandTimeoutMs = 300_000;

/** @returns the work that needs the files on disk */
export default function generateService(tree: Tree, { name }: { readonly name: string }): () => void {
  if (!nameShape.test(name)) throw new Error(`a service is called by one lower-case word of 2 to 16 letters, not ${name}`);
  if (tree.exists(`apps/${name}`) || tree.exists(`libs/contracts/proto/cloakroom/${name}`)) throw new Error(`there is a ${name} already`);
  const read = (path: string): string => {
    const text = tree.read(path, 'utf8');
    if (text === null) throw new Error(`${path} is missing`);
    return text;
  };
  const made = globSync('**/*.template', { cwd: templates }).map((path) => {
    const target = filled(path.replace(/\.template$/, ''), name);
    tree.write(target, filled(readFileSync(join(templates, path), 'utf8'), name));
    return target;
  });
  tree.write(`apps/${name}/package.json`, manifestOf(name, read('apps/catalog/package.json')));
  for (const [path, edit] of Object.entries(edits)) tree.write(path, edit(read(path), name));
  return () => finish(tree.root, [...made, `apps/${name}/package.json`, ...Object.keys(edits)]);
}

/** Three spellings stand in a template: `__name__`, `__Name__` and `__NAME__`. */
function filled(text: string, name: string): string {
  const Name = name[0]!.toUpperCase() + name.slice(1);
  return text.replaceAll('__name__', name).replaceAll('__Name__', Name).replaceAll('__NAME__', name.toUpperCase());
}

function finish(root: string, changed: readonly string[]): void {
  const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter) };
  const run = (folder: string, command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { cwd: join(root, folder), env, stdio: ['ignore', 'ignore', 'inherit'], timeout: commandTimeoutMs });
  run('libs/contracts', 'buf', 'generate');
  // The app becomes a workspace: its link in node_modules, and its entry in the lock file.
  run('.', 'npm', 'install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund');
  // The drawing's files are derived with the contracts' topics, and what is built of them.
  run('.', 'tsc', '-b', 'libs/contracts');
  run('.', 'node', 'infra/containers/write.ts');
  const ignored = /Dockerfile$|\.proto$/;
  run('.', 'prettier', '--log-level', 'warn', '--write', ...changed.filter((path) => !ignored.test(path)));
}
