/**
 * Samples spoilt on purpose, for the tests of labs: a lab that says the same of them would say it of anything. `swapped`: the two arms of a statement
 * answer for each other. `twice`: one of them answers for both.
 */
import type { Sample, Statement } from './lab.ts';

export type Spoilt = 'swapped' | 'twice';

export function spoil(samples: readonly Sample[], { of, against }: Pick<Statement, 'of' | 'against'>, how: Spoilt): Sample[] {
  const answersFor = (arm: string): string => (arm === against ? of : arm === of && how === 'swapped' ? against : arm);
  return samples
    .map((one) => samples.find(({ arm, round }) => arm === answersFor(one.arm) && round === one.round)!)
    .map((found, index) => ({
      ...found,
      arm: samples[index]!.arm,
    }));
}
