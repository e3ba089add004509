import { useEffect, useState } from 'react';
import type { FaultsView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { isMine } from '../api/request-log.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { type Seen, steps } from './steps.ts';

const storageKey = 'tour';
const rereadMs = 1_000;

export interface Ticks {
  readonly done: ReadonlySet<string>;
  readonly forget: () => void;
}

/** The steps that were seen done. A tick stays: most signs are gone a moment later. It is forgotten with the tab. */
export function useTicks(): Ticks {
  const { requests, stack } = useLive();
  const [done, setDone] = useState<ReadonlySet<string>>(
    () => new Set((sessionStorage.getItem(storageKey) ?? '').split(' ').filter(Boolean)),
  );
  const needsFaults = steps.some(({ id, needsFaults: needed }) => needed && !done.has(id));
  const { value: faults } = useReading<FaultsView>(needsFaults ? '/api/faults' : undefined, rereadMs);
  const trainee = traineeId();
  const seen: Seen = {
    mine: requests.filter((request) => isMine(request, trainee)),
    others: requests.filter((request) => !isMine(request, trainee)),
    faults: (faults?.on ?? []).filter(({ mine }) => mine === undefined || mine === trainee),
    processes: stack?.processes ?? [],
  };
  const now = steps.filter(({ id, isDone }) => !done.has(id) && isDone(seen)).map(({ id }) => id);
  if (now.length > 0) setDone(new Set([...done, ...now]));
  useEffect(() => sessionStorage.setItem(storageKey, [...done].join(' ')), [done]);
  const forget = (): void => setDone(new Set());
  return { done, forget };
}
