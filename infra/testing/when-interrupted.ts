/** @returns whether somebody has asked this process to end since the call; the suite under way is told by its own signal */
export function whenInterrupted(): () => boolean {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (interrupted = true));
  return () => interrupted;
}
