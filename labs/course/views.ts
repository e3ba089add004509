/** The labs as the Observatory shows them: the same words and numbers as in the terminal. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JudgedView, LabFindingsView, LabResultView, LabView, ListedLabView } from '@cloakroom/contracts';
import { ownFolder, publishedFolder, readFigure, readPrediction, readResult } from '../runner/keep.ts';
import type { Lab, Result, Statement } from '../runner/lab.ts';
import { spell, spellPrediction, tableOf } from '../runner/present.ts';
import type { Listed } from './list.ts';
import { blocksOf } from './page-text.ts';

export async function listedView({ name, claim, minutes, needs, load }: Listed): Promise<ListedLabView> {
  // One lab that cannot be loaded must not hide the others.
  const question = await load().then(
    ({ lab }) => lab.question,
    (error: unknown) => `It cannot be loaded: ${String(error)}`,
  );
  const ownRunAt = readResult(ownFolder(name))?.at;
  return { name, claim, question, minutes, needs, predicted: readPrediction(name) !== undefined, ownRunAt };
}

/** Nothing in it tells what comes out. */
export async function labView(listed: Listed): Promise<LabView> {
  const { prediction } = (await listed.load()).lab;
  const { asks } = prediction;
  const given = readPrediction(listed.name);
  return {
    ...(await listedView(listed)),
    prediction:
      prediction.kind === 'choice'
        ? { asks, choices: prediction.choices, unit: '', given }
        : { asks, choices: undefined, unit: prediction.unit, given },
  };
}

export function findingsView(lab: Lab): LabFindingsView {
  const { name, arms, quantities } = lab;
  const { task, asks, unit } = lab.exercise;
  return {
    name,
    predicted: predictedView(lab),
    arms,
    quantities: Object.entries(quantities).map(([quantity, told]) => ({ name: quantity, ...told })),
    exercise: { task, asks, unit },
    published: resultView(lab, publishedFolder(name)),
    own: resultView(lab, ownFolder(name)),
    text: textOf(name),
  };
}

function predictedView({ name, prediction }: Lab): LabFindingsView['predicted'] {
  const given = readPrediction(name);
  if (given === undefined) return undefined;
  const words = spellPrediction(prediction, given);
  if (prediction.kind === 'number') return { words, rightWords: undefined, right: undefined };
  return { words, rightWords: spellPrediction(prediction, prediction.right), right: given === prediction.right };
}

function textOf(name: string): LabFindingsView['text'] {
  const file = join(publishedFolder(name), 'README.md');
  return existsSync(file) ? blocksOf(readFileSync(file, 'utf8')) : [];
}

/** @returns undefined where there was no run, and where an older build of the lab had other arms or statements */
export function resultView(lab: Lab, folder: string): LabResultView | undefined {
  const result = readResult(folder);
  if (result === undefined || result.judged.length !== lab.statements.length) return undefined;
  const { at, quick, seconds, machine, stories, judged } = result;
  const figure = readFigure(folder);
  return {
    at,
    quick,
    seconds,
    machine,
    stories,
    rounds: new Set(result.samples.map(({ round }) => round)).size,
    changed: changedDials(lab, result),
    judged: judged.map((one, index): JudgedView => {
      const { says, verdict, interval, control, why } = one;
      return { says, verdict, interval: spell(interval), control: spell(control), rule: ruleOf(lab.statements[index]!), why };
    }),
    table: tableOf(lab, result),
    figure: figure && { title: lab.figure(result).title, ...figure },
  };
}

function changedDials({ dials }: Lab, result: Result): string[] {
  return Object.entries(result.dials).flatMap(([dial, value]) => (value === dials[dial]?.value ? [] : [`${dial} = ${value}`]));
}

const ruleOf = ({ quantity, of, against, as, above }: Statement): string =>
  `${quantity}: ${of} ${as === 'ratio' ? 'over' : 'minus'} ${against}. It holds above ${above}.`;
