/** Counters of one process, as its /metrics tells them. */

/** @returns the sum of all samples of this metric whose labels have the text */
export async function readMetrics(process: string, name: string, label: string): Promise<number> {
  const text = await (await fetch(`${process}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
