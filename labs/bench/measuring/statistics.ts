/** Results from a set of pairs: medians and ranges of ratios. One run of one variant proves nothing on a machine that others use. */

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The spread of ratios, pair by pair: an effect of the machine on both of a pair cancels out. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, pair) => value / to[pair]!);
}

/** Over as many rounds as there are items, every item is first, second and so on equally often. */
export function rotated<Item>(items: readonly Item[], round: number): Item[] {
  return items.map((_, index) => items[(index + round) % items.length]!);
}

/** The standard error of the mean of independent values. */
export function standardError(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
