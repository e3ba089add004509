import { useEffect, useState } from 'react';
import type { FaultsView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { isMine } from '../api/request-log.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { type FaultSeen, type Seen, steps, withSightings } from './steps.ts';

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
  const { value: faults, readAtMs } = useReading<FaultsView>(needsFaults ? '/api/faults' : undefined, rereadMs);
  const trainee = traineeId();
  const [met, setMet] = useState<readonly FaultSeen[]>([]);
  const [readOf, setReadOf] = useState<FaultsView>();
  if (faults !== undefined && faults !== readOf) {
    setReadOf(faults);
    const own = faults.on.filter(({ mine }) => mine === undefined || mine === trainee);
    setMet(withSightings(met, own, readAtMs));
  }
  const [firstRestarts, setFirstRestarts] = useState<ReadonlyMap<string, number>>(new Map());
  const processes = stack?.processes ?? [];
  const fresh = processes.filter(({ name }) => !firstRestarts.has(name));
  if (fresh.length > 0) setFirstRestarts(new Map([...firstRestarts, ...fresh.map(({ name, restarts }) => [name, restarts] as const)]));
  const seen: Seen = {
    mine: requests.filter((request) => isMine(request, trainee)),
    others: requests.filter((request) => !isMine(request, trainee)),
    faults: met,
    restarted: processes.filter(({ name, restarts }) => restarts > (firstRestarts.get(name) ?? restarts)),
  };
  const now = steps.filter(({ id, isDone }) => !done.has(id) && isDone(seen)).map(({ id }) => id);
  if (now.length > 0) setDone(new Set([...done, ...now]));
  useEffect(() => sessionStorage.setItem(storageKey, [...done].join(' ')), [done]);
  const forget = (): void => setDone(new Set());
  return { done, forget };
}
