import { useCallback, useEffect, useState } from 'react';
import { useLive } from './live.ts';
import { Failure, read } from './observatory.ts';

export interface Reading<Answer> {
  readonly value: Answer | undefined;
  /** When the value came. */
  readonly readAtMs: number;
  readonly failure: Failure | undefined;
  readonly reread: () => Promise<void>;
}

/**
 * Reads an answer once, or again and again as long as the page is seen.
 * @param path undefined: there is nothing to read yet
 * @param timeoutMs by default as for an answer out of the server's memory
 */
export function useReading<Answer>(path: string | undefined, everyMs?: number, timeoutMs?: number): Reading<Answer> {
  const { connection } = useLive();
  const [kept, setKept] = useState<{
    readonly of: string | undefined;
    readonly value?: Answer;
    readonly readAtMs?: number;
    readonly failure?: Failure;
  }>();
  const reread = useCallback(async () => {
    if (path === undefined) return;
    try {
      const value = await read<Answer>(path, timeoutMs);
      setKept({ of: path, value, readAtMs: Date.now() });
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('away', String(error));
      // What was read stays: the note above the view says that the server is away.
      setKept((before) => (before?.of === path ? { ...before, failure } : { of: path, failure }));
    }
  }, [path, timeoutMs]);
  useEffect(() => {
    if (connection !== 'open') return;
    const readIfSeen = (): void => {
      if (document.visibilityState === 'visible') void reread();
    };
    readIfSeen();
    if (everyMs === undefined) return;
    const timer = setInterval(readIfSeen, everyMs);
    return () => clearInterval(timer);
  }, [connection, everyMs, reread]);
  const current = kept?.of === path ? kept : undefined;
  return { value: current?.value, readAtMs: current?.readAtMs ?? 0, failure: current?.failure, reread };
}
