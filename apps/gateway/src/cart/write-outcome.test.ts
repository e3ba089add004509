import { type ErrorCode, problem, toldCodes } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { knownOutcome } from './write-outcome.ts';

const lost: readonly ErrorCode[] = ['connection_lost', 'deadline_exceeded', 'internal', 'cancelled'];

it.each(lost)('a write that ended with %s may have been taken', (code) => {
  expect(knownOutcome(problem(code))).toEqual(problem('outcome_unknown', undefined, 1));
});

it.each(toldCodes.filter((code) => !lost.includes(code)))('a write that ended with %s is said to have ended so', (code) => {
  expect(knownOutcome(problem(code))).toEqual(problem(code));
});
