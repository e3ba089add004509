/** The options that documents tell people to type are those that the commands' own tables have. */
import { posix } from 'node:path';
import { commandsOf } from './documented-commands.ts';
import type { Tree, Violation } from './tree.ts';

/** Command, as typed after `npm run` ("chaos", "cart history"; "start" and "test" too), and the options it takes, without their dashes. */
type Flags = ReadonlyMap<string, ReadonlySet<string>>;

/** Options of other programs that documents name alone. */
const foreign = new Set(['build-arg']);

/** @returns what the checks read from infra/cli.ts and from the programs that infra/cli/tools.ts lists */
export function readFlags(tree: Tree): Flags {
  return new Map([...flagsOfCli(tree.read('infra/cli.ts')), ...flagsOfTools(tree)]);
}

/** cli.ts says `program.command('start')`, options following; `cart.command('history')` is `npm run cart -- history`. */
function flagsOfCli(text: string): [string, Set<string>][] {
  const named = /'(?:-\w, )?--([a-z][\w-]*)/g;
  const shared = new Map([...text.matchAll(/const (\w+) = new Option\('--([a-z][\w-]*)/g)].map(([, name, flag]) => [name!, flag!]));
  const starts = [...text.matchAll(/(\w+)\s*\.command\('([a-z][\w-]*)'\)/g)];
  return starts.map((match, index) => {
    const body = text.slice(match.index + match[0].length, starts[index + 1]?.index);
    const borrowed = [...body.matchAll(/addOption\((\w+)\)/g)].flatMap(([, name]) => shared.get(name!) ?? []);
    const command = match[1] === 'program' ? match[2]! : `${match[1]} ${match[2]}`;
    return [command, new Set([...[...body.matchAll(named)].map(([, flag]) => flag!), ...borrowed])];
  });
}

/** A program gives runCommandLine its table: written there, or a constant of its own or of a neighbour. */
function flagsOfTools(tree: Tree): [string, Set<string>][] {
  return [...tree.read('infra/cli/tools.ts').matchAll(/^ {2}(\w+): '((?:infra|labs)\/[\w/.-]+\.ts)'/gm)].map(([, command, script]) => {
    const text = tree.read(script!);
    const call = text.slice(text.indexOf('runCommandLine({'));
    const written = /\boptions(?:: (\w+|\{))?/.exec(call);
    if (written === null) throw new Error(`${script} gives runCommandLine no options`);
    const table = written[1] === '{' ? braced(call, written.index) : constant(tree, script!, written[1] ?? 'options');
    return [command!, new Set([...table.matchAll(/'?([a-z][\w-]*)'?: \{ type: /g)].map(([, flag]) => flag!))];
  });
}

function constant(tree: Tree, script: string, name: string): string {
  const text = tree.read(script);
  const neighbours = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => posix.join(posix.dirname(script), path!));
  const holder = [script, ...neighbours.filter((path) => tree.files.includes(path))]
    .map((path) => tree.read(path))
    .find((one) => one.includes(`const ${name} = {`));
  if (holder === undefined) throw new Error(`${script}: no table ${name}`);
  return braced(holder, holder.indexOf(`const ${name} = {`));
}

/** @returns the first pair of braces from there on, and what is between */
function braced(text: string, from: number): string {
  const begin = text.indexOf('{', from);
  let depth = 0;
  for (let at = begin; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return text.slice(begin, at + 1);
  }
  throw new Error('a brace is never closed');
}

/** Playwright's are its own. */
const passesOn = new Set(['e2e']);

export function checkCommandFlags(tree: Tree, documents: readonly string[], flags: Flags = readFlags(tree)): Violation[] {
  const anywhere = new Set([...flags.values()].flatMap((some) => [...some]));
  return documents.flatMap((path) => {
    const text = tree.read(path);
    const inCommands = commandsOf(text).flatMap(({ command, line }) =>
      unknownIn(tree, command, flags).map((message) => ({ path, line, message })),
    );
    // `--seed 7` alone, in the text: somebody's.
    const alone = text.split('\n').flatMap((content, index) =>
      [...content.matchAll(/`--([a-z][\w-]*)(?: [^`]*)?`/g)]
        .map((match) => match[1]!)
        .filter((flag) => flag !== 'help' && !anywhere.has(flag) && !foreign.has(flag))
        .map((flag) => ({ path, line: index + 1, message: `names --${flag}, which no command takes` })),
    );
    return [...inCommands, ...alone];
  });
}

function unknownIn(tree: Tree, command: string, flags: Flags): string[] {
  const typed = [...command.matchAll(/(?<=\s)--([a-z][\w-]*)/g)].map(([, flag]) => flag!).filter((flag) => flag !== 'help');
  const [program = '', script = ''] = command.split(' ');
  if (program === 'node') {
    const source = script.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
    if (!tree.files.includes(source)) return [`\`${command}\`: ${script} is built of nothing`];
    return typed
      .filter((flag) => !tree.read(source).includes(`'${flag}': { type: `))
      .map((flag) => `\`${command}\`: ${script} has no --${flag}`);
  }
  const ours = /^npm (?:run )?([a-z][\w-]*)(?: -- ([a-z][\w-]*))?/.exec(command);
  if (ours === null || passesOn.has(ours[1]!) || ours[1] === 'ci' || ours[1] === 'install') return [];
  const own = flags.get(`${ours[1]} ${ours[2]}`) ?? flags.get(ours[1]!);
  if (own === undefined) return [`\`${command}\`: there is no command ${ours[1]}`];
  return typed.filter((flag) => !own.has(flag)).map((flag) => `\`${command}\`: ${ours[1]} has no --${flag}`);
}
