/** npm run lab: the list, one lab with a prediction, its exercise, or all of them for CI. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface as createLines } from 'node:readline';
import { createInterface } from 'node:readline/promises';
import type { LabLine } from '@cloakroom/contracts';
import { oneOf, portBases, runCommandLine, UsageError, wholeNumber } from '../../infra/cli/command-line.ts';
import { align } from '../../infra/cli/status.ts';
import { testBases } from '../../infra/stack/test-bases.ts';
import { untilToldToEnd } from '../../infra/cli/until-told-to-end.ts';
import { askExercise, checkExercise, describeOutcome } from '../runner/exercise.ts';
import { keepPrediction, keepResult, notANumber, ownFolder, publishedFolder } from '../runner/keep.ts';
import { againstFound } from '../runner/judge.ts';
import type { Lab, Result } from '../runner/lab.ts';
import { findLab, labs } from './list.ts';
import { runLab } from '../runner/measure.ts';
import { askPrediction, readAnswer } from '../runner/predict.ts';
import { describeResult } from '../runner/present.ts';

/** Keeps what the summary of CI shows of a lab that failed. */
const whyLengthMax = 2_000;

const help = `npm run lab                            the list: which claim, how long, what it needs
npm run lab -- NAME                    asks for your prediction, runs, shows the table, the verdict and where the picture is
npm run lab -- NAME --predict ANSWER   the prediction beforehand, where nobody can be asked
npm run lab -- NAME --quick            fewer rounds, within a minute
npm run lab -- NAME --set NAME=VALUE   with another number; the list of one lab's numbers: npm run lab -- NAME --dials
npm run lab -- NAME --stay [ARM]       opens what an arm runs on for you to try, where the lab has that, until Ctrl-C
npm run lab -- NAME --exercise         the exercise: its task. With --answer NUMBER it runs and says whether you understood
npm run lab -- all --quick             every lab, and exit code 1 where a verdict is not the one of the full runs
  --json         one line of JSON for each step and each result
  --publish      also writes the result and its pictures beside the lab (labs/NAME)
  --port-base P  where the ports of its stack begin`;

const options = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  publish: { type: 'boolean', default: false },
  dials: { type: 'boolean', default: false },
  exercise: { type: 'boolean', default: false },
  predict: { type: 'string' },
  answer: { type: 'string' },
  stay: { type: 'boolean', default: false },
  set: { type: 'string', multiple: true },
  'port-base': { type: 'string' },
} as const;

interface Asked {
  readonly quick: boolean;
  readonly json: boolean;
  readonly publish: boolean;
  readonly base: number;
}

await runCommandLine({ help, options, wordCountMax: 2 }, async (values, [name, arm]) => {
  const asked: Asked = { ...values, base: wholeNumber('--port-base', values['port-base'], portBases) ?? testBases.labs };
  if (arm !== undefined && !values.stay) throw new UsageError(`unexpected argument '${arm}'`);
  if (name === undefined) return (printList(asked), 0);
  if (name === 'all') return runAll(asked);
  const lab = await findLab(name);
  if (values.dials) return (printDials(lab), 0);
  if (values.stay) return stay(lab, asked, arm ?? lab.arms[0]!.name);
  const dials = readDials(lab, values.set ?? []);
  if (values.answer !== undefined && !values.exercise) throw new UsageError('--answer goes with --exercise');
  if (values.exercise) return exercise(lab, asked, values.answer);
  if (values.publish && (asked.quick || values.set !== undefined))
    throw new UsageError('--publish takes a full run with the usual numbers');
  return runOne(lab, asked, dials, values.predict);
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printList({ json }: Asked): void {
  if (json) return labs.forEach((lab) => print(JSON.stringify({ kind: 'lab', ...lab })));
  print('Each puts one thing that everybody says to the test.\n');
  const rows = labs.map(({ name, claim, minutes, needs }) => [
    name,
    `"${claim}"`,
    minutes,
    needs === 'native' ? 'Redis and Kafka' : 'nothing',
  ]);
  for (const line of align([['lab', 'what people say', 'time', 'needs'], ...rows])) print(line);
  print('\nnpm run lab -- NAME runs one. The course: docs/labs.md');
}

function printDials({ name, dials }: Lab): void {
  const rows = Object.entries(dials).map(([dial, { value, min, max, unit, says }]) => [
    dial,
    `${value} ${unit}`.trim(),
    `${min} to ${max}`,
    says,
  ]);
  if (rows.length === 0) print(`${name} has no numbers to change.`);
  else for (const line of align([['number', 'usual', 'range', 'what it is'], ...rows])) print(line);
}

async function runOne(lab: Lab, asked: Asked, dials: Readonly<Record<string, number>>, predict: string | undefined): Promise<number> {
  if (!asked.json) print(`${lab.question}\n`);
  // Whoever reads the JSON has the question from another place.
  const tell = asked.json ? () => undefined : print;
  const predicted = predict === undefined ? await askPrediction(lab.prediction, terminal(), tell) : readAnswer(lab.prediction, predict);
  if (predicted !== undefined) keepPrediction(lab.name, predicted);
  const result = await measured(lab, asked, dials);
  const folder = await keepResult(lab, result, asked.publish ? publishedFolder(lab.name) : ownFolder(lab.name));
  if (asked.json) return (print(JSON.stringify({ kind: 'result', result, predicted })), 0);
  for (const line of describeResult(lab, result, predicted)) print(line);
  print(`\npicture: ${folder}/figure-light.svg (and -dark)\nhow to read it, why it is so, and the exercise: labs/${lab.name}/README.md`);
  return 0;
}

/** Runs a lab and ends it in order on Ctrl-C. */
async function measured(lab: Lab, { quick, base, json }: Asked, dials: Readonly<Record<string, number>>): Promise<Result> {
  let stopped = false;
  const ending = untilToldToEnd((line) => process.stderr.write(`${line}\n`));
  void ending.told.then(() => (stopped = true));
  let done = 0;
  const say = (text: string) =>
    print(json ? JSON.stringify({ kind: 'progress', lab: lab.name, text, part: done } satisfies LabLine) : `  ${text}`);
  try {
    return await runLab(lab, { quick, base, dials, say, onPart: (part) => (done = part), interrupted: () => stopped });
  } finally {
    ending.forget();
  }
}

/** Keeps the stack of one arm open, to try it in a browser. */
async function stay(lab: Lab, { base }: Asked, arm: string): Promise<number> {
  if (lab.stay === undefined) throw new UsageError(`${lab.name} has nothing that stays open`);
  const known = oneOf(
    '--stay',
    arm,
    lab.arms.map(({ name }) => name),
  );
  const ending = untilToldToEnd(print);
  try {
    const opened = await lab.stay(known, base);
    print(`${opened.says}, until Ctrl-C`);
    await ending.told;
    await opened.stop();
    print('Stopped.');
    return 0;
  } finally {
    ending.forget();
  }
}

async function exercise(lab: Lab, asked: Asked, answer: string | undefined): Promise<number> {
  const given = answer === undefined ? await askExercise(lab, terminal(), print) : Number(answer);
  if (given === undefined) return 0;
  if (!Number.isFinite(given)) throw new UsageError('a number is asked for');
  const outcome = checkExercise(lab.exercise, given, await measured(lab, asked, lab.exercise.set));
  if (asked.json) print(JSON.stringify({ kind: 'exercise', lab: lab.name, outcome } satisfies LabLine));
  else for (const line of describeOutcome(outcome)) print(line);
  return outcome.right ? 0 : 1;
}

/**
 * Each lab is a process of its own: several start the shop's services inside of it, and a process can have their metrics only once. The last line
 * counts: readLabsOutput in infra/testing/reports.ts reads it.
 */
async function runAll(asked: Asked): Promise<number> {
  const found: { lab: string; wrong: readonly string[] }[] = [];
  for (const { name } of labs) {
    print(asked.json ? JSON.stringify({ kind: 'begun', lab: name }) : `\n== ${name}`);
    const { result, why } = await runApart(name, asked);
    if (result === undefined) {
      found.push({ lab: name, wrong: [`it did not run: ${why}`] });
      continue;
    }
    const lab = await findLab(name);
    if (asked.json) print(JSON.stringify({ kind: 'result', result }));
    else for (const line of describeResult(lab, result, undefined)) print(line);
    found.push({ lab: name, wrong: againstFound(lab, result) });
  }
  print('');
  for (const { lab, wrong } of found) print(`${wrong.length === 0 ? 'ok   ' : 'FAIL '} ${lab}${wrong.map((why) => `: ${why}`).join('')}`);
  const failed = found.filter(({ wrong }) => wrong.length > 0).length;
  print(`labs: ${found.length - failed} as before, ${failed} not`);
  return failed === 0 ? 0 : 1;
}

/** Runs one lab as `npm run lab -- NAME --json` does, and passes its progress on. */
async function runApart(name: string, { quick, base, json }: Asked): Promise<{ readonly result?: Result; readonly why: string }> {
  const args = [...process.execArgv, import.meta.filename, name, '--json', '--port-base', String(base), ...(quick ? ['--quick'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-whyLengthMax);
    process.stderr.write(text);
  });
  const ended = once(child, 'close');
  let result: Result | undefined;
  for await (const line of createLines({ input: child.stdout })) {
    const told = readLine(line);
    if (told?.kind === 'result') result = told.result;
    else if (told?.kind === 'progress') print(json ? line : `  ${told.text}`);
  }
  const [code] = (await ended) as [number | null];
  const why = said.trim().split('\n')[0] ?? '';
  return code === 0 && result !== undefined ? { result, why } : { why: why === '' ? `it ended with exit code ${code}` : why };
}

/** @returns undefined for a line that is no JSON: a part of the lab may have printed it */
function readLine(line: string): { readonly kind?: string; readonly text?: string; readonly result?: Result } | undefined {
  try {
    return JSON.parse(line, notANumber) as { readonly kind?: string };
  } catch {
    return undefined;
  }
}

function readDials({ name, dials }: Lab, words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word) => {
      const [dial = '', text] = word.split('=');
      const known = dials[dial];
      if (known === undefined) throw new UsageError(`--set ${word}: ${name} has ${Object.keys(dials).join(', ') || 'no numbers'}`);
      const value = Number(text);
      if (text === undefined || text === '' || !(value >= known.min && value <= known.max))
        throw new UsageError(`--set ${word}: ${dial} is a number from ${known.min} to ${known.max}`);
      return [dial, value];
    }),
  );
}

/** @returns undefined where there is no person to ask */
function terminal(): ((question: string) => Promise<string>) | undefined {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}
