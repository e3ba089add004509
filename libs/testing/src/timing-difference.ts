/**
 * Does the time of an answer reveal which of two cases it was? The samples of both cases are taken in turn, so that other
 * load on the machine meets both alike. They are compared by ranks (Mann and Whitney, 1947). This assumes no shape of the
 * noise, and one slow outlier is only one rank.
 *
 * On a busy machine a difference that is useless to an attacker may still be "significant" with enough samples. A large
 * difference may be chance with few samples. So both are required: hardly chance (p below 1 in 10,000), and large enough to
 * be used over a network (medians apart by a tenth or more).
 */
export interface TimingDifference {
  /** The probability of ranks this uneven, or more uneven, when both cases are the same. */
  readonly p: number;
  /** The median of the second case divided by that of the first. */
  readonly ratio: number;
  readonly tells: boolean;
}

const chanceMax = 1e-4;
const ratioNoticed = 1.1;

/** Takes the samples in turn. The order of each pair is random, so that no case always follows the other. @returns milliseconds of each */
export async function sampleInTurn(
  cases: readonly [() => Promise<unknown>, () => Promise<unknown>],
  options: { readonly rounds: number; readonly warmUpRounds?: number; readonly random?: () => number },
): Promise<readonly [number[], number[]]> {
  const { rounds, warmUpRounds = 3, random = Math.random } = options;
  const samples: [number[], number[]] = [[], []];
  for (let round = -warmUpRounds; round < rounds; round++) {
    const order = random() < 0.5 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) {
      const startedMs = performance.now();
      await cases[which]();
      if (round >= 0) samples[which].push(performance.now() - startedMs);
    }
  }
  return samples;
}

export function timingDifference(first: readonly number[], second: readonly number[]): TimingDifference {
  const p = chanceOf(first, second);
  const ratio = median(second) / median(first);
  return { p, ratio, tells: p < chanceMax && Math.max(ratio, 1 / ratio) > ratioNoticed };
}

/** Two-sided, by the normal approximation. It holds from some 20 samples a side. */
function chanceOf(first: readonly number[], second: readonly number[]): number {
  let u = 0;
  for (const a of first) for (const b of second) u += a > b ? 1 : a === b ? 0.5 : 0;
  const [n, m] = [first.length, second.length];
  const z = (Math.abs(u - (n * m) / 2) - 0.5) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return Math.min(1, 2 * upperTail(Math.max(0, z)));
}

/** Abramowitz and Stegun 26.2.17, error below 1e-7. The factor in front keeps it right in the far tail. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z);
  const sum = t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
