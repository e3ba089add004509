/** The pauses between rounds of asking. They are short at first, and grow for an outage of minutes. */
export const roundDelayMs = 1_000;
export const roundDelayMsMax = 15_000;

/** Runs rounds for ever. A round that fails does not stop the next. @returns a function that stops them */
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
