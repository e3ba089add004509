/** A law, and the outcome of its check over many histories. The unit tests use it (short), and `npm run prove` (long). */
import fc from 'fast-check';

export interface Outcome {
  readonly histories: number;
  /** The shortest story that shrinking found, and its fault. */
  readonly counterExample?: { readonly story: readonly string[]; readonly fault: string; readonly replay: string };
}

export interface Progress {
  /** Called now and then with the histories so far. */
  readonly onProgress?: (histories: number) => void;
}

export interface Law {
  readonly name: string;
  /** The law in words. */
  readonly says: string;
  /** The law's percentage of all random histories; 0 for a law that is checked exhaustively. */
  readonly share: number;
  check(options: { readonly seed: number; readonly histories: number } & Progress): Promise<Outcome>;
}

/** Runs of one call. Progress is reported between calls, and each call has a seed of its own. */
const runsPerChunk = 1_000;

/** @param holds throws, or rejects, where the law does not hold */
export function randomLaw<T>(law: {
  readonly name: string;
  readonly says: string;
  readonly share: number;
  readonly made: fc.Arbitrary<T>;
  readonly holds: (history: T) => void | Promise<void>;
  readonly tell: (history: T) => readonly string[];
}): Law {
  const { name, says, share, made, holds, tell } = law;
  return {
    name,
    says,
    share,
    async check({ seed, histories, onProgress }) {
      const property = fc.asyncProperty(made, async (history) => {
        await holds(history);
      });
      let done = 0;
      while (done < histories) {
        const numRuns = Math.min(runsPerChunk, histories - done);
        const chunkSeed = (seed + done) | 0;
        const details = await fc.check(property, { seed: chunkSeed, numRuns });
        if (details.failed) {
          const fault = messageOf(details.errorInstance);
          const story = details.counterexample === null ? [] : tell(details.counterexample[0]);
          return {
            histories: done + details.numRuns,
            counterExample: { story, fault, replay: `seed ${chunkSeed} path ${details.counterexamplePath}` },
          };
        }
        done += numRuns;
        onProgress?.(done);
      }
      return { histories: done };
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Throws the fault where the condition does not hold. */
export function insist(condition: boolean, fault: () => string): void {
  if (!condition) throw new Error(fault());
}
