/** How much of everything: the run that is published, and a rehearsal of half a minute. */
import type { RegionsRequest } from './regions.ts';

export const regionsSizes = {
  whole: { rounds: 5, requests: 40, trials: 1_000, whileCut: 20 },
  quick: { rounds: 1, requests: 3, trials: 8, whileCut: 1 },
} as const satisfies Record<string, RegionsRequest>;
