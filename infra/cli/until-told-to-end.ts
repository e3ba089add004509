/** How often the launcher checks its own parent (npm, a shell, a CI runner), which may be killed without a signal to the launcher. */
const parentCheckIntervalMs = 500;

/** The first signal counts, and later ones change nothing: a person presses Ctrl-C twice, and npm passes it on once more. */
export function untilToldToEnd(print: (line: string) => void): { readonly told: Promise<string>; forget(): void } {
  const { promise: told, resolve } = Promise.withResolvers<string>();
  let heard = false;
  const hear = (why: string) => {
    if (heard) return;
    heard = true;
    print(`Stopping (${why})...`);
    resolve(why);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listeners = signals.map((signal) => ({ signal, listen: () => hear(signal) }));
  for (const { signal, listen } of listeners) process.on(signal, listen);
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && hear('the parent process is gone'), parentCheckIntervalMs);
  // The terminal or pipe is closed. The stop must still run to its end.
  const ignore = () => undefined;
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
  return {
    told,
    forget() {
      clearInterval(watch);
      for (const { signal, listen } of listeners) process.removeListener(signal, listen);
    },
  };
}
