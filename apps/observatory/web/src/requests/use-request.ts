import { useEffect, useState } from 'react';
import type { RequestView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { Failure, read } from '../api/observatory.ts';

export type Reading =
  | { readonly state: 'reading' }
  | { readonly state: 'here'; readonly view: RequestView }
  | { readonly state: 'failed'; readonly failure: Failure };

/** Spans come in batches, and what a log carries on comes later still. So a young request is read again for a while. */
const youngMs = 12_000;
const rereadMs = 1_000;

export function useRequest(traceId: string): Reading {
  const [reading, setReading] = useState<{ readonly of: string; readonly is: Reading }>();
  const { requests, connection } = useLive();
  // A new word about this request in the live stream, or a new connection, is a reason to read again.
  const settledMs = requests.find((request) => request.traceId === traceId)?.settledMs;
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const began = Date.now();
    const readOnce = async (): Promise<void> => {
      const is = await read<RequestView>(`/api/requests/${encodeURIComponent(traceId)}`).then(
        (view): Reading => ({ state: 'here', view }),
        (error: unknown): Reading => ({ state: 'failed', failure: error instanceof Failure ? error : new Failure('away', String(error)) }),
      );
      if (over) return;
      // A failed re-read leaves what is shown: the note above the view says that the server is away.
      setReading((before) =>
        is.state === 'failed' && is.failure.kind === 'away' && before?.of === traceId && before.is.state === 'here'
          ? before
          : { of: traceId, is },
      );
      const startedAtMs = is.state === 'here' ? is.view.startedAtMs : began;
      if (Date.now() - startedAtMs < youngMs) timer = setTimeout(() => void readOnce(), rereadMs);
    };
    void readOnce();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [traceId, settledMs, connection]);
  return reading?.of === traceId ? reading.is : { state: 'reading' };
}
