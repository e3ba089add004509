/** The exercise of a lab: a number is changed, the person predicts again, and a run says whether it was understood. */
import type { ExerciseOutcome } from '@cloakroom/contracts';
import type { Exercise, Lab, Result } from './lab.ts';
import { short } from './judge.ts';

/** @returns undefined where there is no person to ask: the task was printed, and --answer runs it */
export async function askExercise(
  { name, exercise }: Lab,
  ask: ((question: string) => Promise<string>) | undefined,
  print: (line: string) => void,
): Promise<number | undefined> {
  print(exercise.task);
  print(`\n${exercise.asks}`);
  if (ask === undefined) {
    print(`\nAnswer with: npm run lab -- ${name} --exercise --answer NUMBER`);
    return undefined;
  }
  const text = (await ask(`your answer${exercise.unit === '' ? '' : ` (${exercise.unit})`}: `)).trim();
  return text === '' ? undefined : Number(text);
}

export function checkExercise(exercise: Exercise, given: number, result: Result): ExerciseOutcome {
  const measured = exercise.answer(result);
  const allowed = Math.max(exercise.withinAtLeast, Math.abs(measured) * exercise.withinPart);
  const right = Math.abs(given - measured) <= allowed;
  const said = `You said ${short(given)}, the run measured ${short(measured)} ${exercise.unit}`.trim();
  return { right, said: right ? `${said}.` : `${said}; within ${short(allowed)} counts as right.`, why: exercise.why };
}

export const describeOutcome = ({ right, said, why }: ExerciseOutcome): string[] => [
  '',
  `${right ? 'RIGHT' : 'NOT YET'}  ${said}`,
  '',
  why,
];
