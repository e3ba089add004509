/** The one way in for every command of infra/: its options are read here, and what a person mistyped is told in words, with the usage. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { describeFailure } from '../stack/outcome.ts';

/** Typed wrong: told with the usage, never with a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Where a stack of a command may listen: above what only root may use, and below the end with room for its ports. */
export const portBases = { min: 1_024, max: 64_000 };

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Own extends Options> = ReturnType<typeof parseArgs<{ options: Own; allowPositionals: true }>>;

export interface CommandLine<Own extends Options> {
  readonly help: string;
  readonly options: Own;
  /** How many words without dashes it takes; none unless told. */
  readonly wordCountMax?: number;
}

/** Sets the exit code. @param run returns it */
export async function runCommandLine<const Own extends Options>(
  { help, options, wordCountMax = 0 }: CommandLine<Own>,
  run: (values: Parsed<Own>['values'], words: readonly string[]) => number | Promise<number>,
): Promise<void> {
  try {
    const asked = { ...options, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ options: asked, allowPositionals: true });
    if ((values as { help?: boolean }).help === true) return void process.stdout.write(`${help}\n`);
    const extra = positionals[wordCountMax];
    if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'`);
    process.exitCode = await run(values as Parsed<Own>['values'], positionals);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${isMistyped(error) ? `${messageOf(error)}\n\n${help}` : describeFailure(error)}\n`);
  }
}

const isMistyped = (error: unknown): error is Error =>
  error instanceof UsageError || (error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS'));

/** Node goes on about how to pass a word that begins with a dash. */
const messageOf = ({ message }: Error): string => message.replace(/\. To specify a positional argument.*$/s, '');

/** @throws UsageError where the text is no such number */
export function wholeNumber(option: string, text: string | undefined, { min, max }: { min: number; max: number }): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new UsageError(`${option} ${text}: a whole number from ${min} to ${max}`);
  return value;
}

/** @throws UsageError where it is none of them */
export function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${option} ${text}: one of ${names.join(', ')}`);
  return found;
}
