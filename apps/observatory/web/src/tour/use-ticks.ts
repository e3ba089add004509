import { useEffect, useState } from 'react';
import type { FaultsView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { isMine } from '../api/request-log.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { type FaultSeen, type Seen, steps, withSightings } from './steps.ts';

const storageKey = 'tour';
/** When the person began again. What happened before counts no more. */
const sinceKey = 'tour-since';
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
  const [sinceMs, setSinceMs] = useState(() => Number(sessionStorage.getItem(sinceKey) ?? 0));
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
  const since = requests.filter(({ startedAtMs }) => startedAtMs >= sinceMs);
  const seen: Seen = {
    mine: since.filter((request) => isMine(request, trainee)),
    others: since.filter((request) => !isMine(request, trainee)),
    faults: met,
    restarted: processes.filter(({ name, restarts }) => restarts > (firstRestarts.get(name) ?? restarts)),
  };
  const now = steps.filter(({ id, isDone }) => !done.has(id) && isDone(seen)).map(({ id }) => id);
  if (now.length > 0) setDone(new Set([...done, ...now]));
  useEffect(() => sessionStorage.setItem(storageKey, [...done].join(' ')), [done]);
  useEffect(() => sessionStorage.setItem(sinceKey, String(sinceMs)), [sinceMs]);
  const forget = (): void => {
    setDone(new Set());
    setSinceMs(Date.now());
    setFirstRestarts(new Map());
  };
  return { done, forget };
}
