import { problem, type SecondFactorChallenge } from '@cloakroom/contracts';
import type { SecondFactorProblem } from '../edge/problem-answer.ts';

/** What is still asked of somebody whose password was right. */
export function secondFactorProblem({ challenge, methods, passkeyOptions }: SecondFactorChallenge): SecondFactorProblem {
  return {
    ...problem('second_factor_required'),
    methods,
    ...(challenge !== '' && { challenge }),
    ...(passkeyOptions !== '' && { options: JSON.parse(passkeyOptions) as Record<string, unknown> }),
  };
}
