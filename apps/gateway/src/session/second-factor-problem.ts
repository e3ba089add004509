import { problem, type Problem, type SecondFactorChallenge } from '@cloakroom/contracts';

/** A Problem that says how the sign-in goes on. */
export interface SecondFactorProblem extends Problem {
  readonly challenge?: string;
  readonly methods: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Asks for the second half of a sign-in, once the password was right. */
export function secondFactorProblem({ challenge, methods, passkeyOptions }: SecondFactorChallenge): SecondFactorProblem {
  return {
    ...problem('second_factor_required'),
    methods,
    ...(challenge !== '' && { challenge }),
    ...(passkeyOptions !== '' && { options: JSON.parse(passkeyOptions) as Record<string, unknown> }),
  };
}
