import type { StackSpec } from '../stack/stack.ts';

/** Names a run for a person: native cluster. */
export const nameOfRun = ({ provider, profile }: Pick<StackSpec, 'provider' | 'profile'>): string =>
  profile === 'usual' ? provider : `${provider} ${profile}`;
