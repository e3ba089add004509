/** Every command of infra/ reads its options here. A typing mistake is answered in words, with the usage. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { describeFailure } from '../stack/outcome.ts';

/** A typing mistake: printed with the usage, never with a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The ports where a stack of a command may listen: above the ports reserved for root, and with room for its ports before the end. */
export const portBases = { min: 1_024, max: 64_000 };

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Own extends Options> = ReturnType<typeof parseArgs<{ options: Own; allowPositionals: true }>>;

export interface CommandLine<Own extends Options> {
  readonly help: string;
  readonly options: Own;
  /** The most words without dashes that the command takes; none by default. */
  readonly wordCountMax?: number;
}

/** Sets the exit code that `run` returns. @param run does the command's work */
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

/** Node's message goes on about words that begin with a dash. This drops that part. */
const messageOf = ({ message }: Error): string => message.replace(/\. To specify a positional argument.*$/s, '');

/** @throws UsageError where the text is not a whole number in the range */
export function wholeNumber(option: string, text: string | undefined, { min, max }: { min: number; max: number }): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
    throw new UsageError(`${option} ${text}: a whole number from ${min} to ${max}`);
  return value;
}

/** @throws UsageError where the text is none of the names */
export function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${option} ${text}: one of ${names.join(', ')}`);
  return found;
}
