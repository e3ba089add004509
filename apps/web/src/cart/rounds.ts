/** Between two rounds of asking: soon at first, then as an outage of minutes deserves. */
export const roundDelayMs = 1_000;
export const roundDelayMsMax = 15_000;

/** A round that fails is followed by the next all the same. @returns what ends them */
export function inRounds(round: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let isOver = false;
  const after = (delayMs: number): void => {
    timer = setTimeout(() => void run(delayMs), delayMs);
  };
  const run = async (delayMs: number): Promise<void> => {
    await round().catch((error: unknown) => console.error(error));
    if (!isOver) after(Math.min(delayMs * 2, roundDelayMsMax));
  };
  after(roundDelayMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
