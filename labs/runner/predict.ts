/** Asks for a prediction before a run: whoever has committed to an answer learns more from the result. */
import { UsageError } from '../../infra/cli/command-line.ts';
import type { Prediction } from './lab.ts';

type Ask = (question: string) => Promise<string>;

/** @returns undefined where there is no person to ask, or the person has none */
export async function askPrediction(
  prediction: Prediction,
  ask: Ask | undefined,
  print: (line: string) => void,
): Promise<string | undefined> {
  print(prediction.asks);
  for (const line of choicesOf(prediction)) print(line);
  if (ask === undefined) {
    print('Nobody can be asked here, so it runs without a prediction. With one: --predict ANSWER\n');
    return undefined;
  }
  for (;;) {
    const text = (await ask(`your prediction${prediction.kind === 'number' ? ` (${prediction.unit})` : ''}, or Enter for none: `)).trim();
    if (text === '') return undefined;
    try {
      return readAnswer(prediction, text);
    } catch (error) {
      print(error instanceof Error ? error.message : String(error));
    }
  }
}

const choicesOf = (prediction: Prediction): string[] =>
  prediction.kind === 'choice' ? Object.entries(prediction.choices).map(([letter, says]) => `  ${letter}) ${says}`) : [];

/** @throws UsageError with the choices, where it is none of them */
export function readAnswer(prediction: Prediction, text: string): string {
  if (prediction.kind === 'number') {
    if (text.trim() !== '' && Number.isFinite(Number(text))) return String(Number(text));
    throw new UsageError(`a number is asked for (${prediction.unit}), not ${text}`);
  }
  const letter = text.trim().toLowerCase();
  if (letter in prediction.choices) return letter;
  const letters = Object.keys(prediction.choices).join(', ');
  throw new UsageError([`one of ${letters} is asked for, not ${text}:`, prediction.asks, ...choicesOf(prediction)].join('\n'));
}
