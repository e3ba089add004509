/**
 * My own requests on their way over the map. A request happened before it is shown: spans come up to a second late. So its marks keep the order of its
 * hops, and not their pace, which is far too quick to see.
 */
import { useEffect, useRef, useState } from 'react';
import type { RequestSummary, TravelHopView } from '../../../src/api.ts';
import { useLive } from '../api/live.ts';
import { read } from '../api/observatory.ts';
import { isFile, isMine } from '../api/request-log.ts';
import { traineeId } from '../api/trainee.ts';

export interface Journey {
  readonly traceId: string;
  readonly name: string;
  readonly hops: readonly TravelHopView[];
  /** Between the beginnings of two hops' marks. */
  readonly stepMs: number;
}

/** The time that one mark takes over its edge. */
export const markMs = 700;
const stepMaxMs = 350;
/** A sign-in has some 40 hops, and nobody watches for longer. */
const journeyMaxMs = 8_000;
/** Services send their spans once a second. */
const settleMs = 1_500;
/** Requests that began before the page was opened, but within the map's window, are shown too. */
const beforeMs = 10_000;
/** A page of the shop asks a handful at once. More marks than these hide each other. */
const shownCountMax = 4;

export const stepOf = (hopCount: number): number => Math.min(stepMaxMs, journeyMaxMs / Math.max(1, hopCount));

/** Those that nobody has shown yet, the oldest first. */
export function newJourneys(requests: readonly RequestSummary[], trainee: string, sinceMs: number, known: ReadonlySet<string>) {
  return requests
    .filter((one) => isMine(one, trainee) && !isFile(one) && one.startedAtMs >= sinceMs && !known.has(one.traceId))
    .slice(0, shownCountMax)
    .toReversed();
}

export function useJourneys(): { readonly journeys: readonly Journey[]; readonly last: Journey | undefined } {
  const { requests } = useLive();
  const [journeys, setJourneys] = useState<readonly Journey[]>([]);
  const [last, setLast] = useState<Journey>();
  const own = useRef<{ readonly sinceMs: number; readonly known: Set<string> }>(undefined);
  useEffect(() => {
    const { sinceMs, known } = (own.current ??= { sinceMs: Date.now() - beforeMs, known: new Set() });
    for (const { traceId, name } of newJourneys(requests, traineeId(), sinceMs, known)) {
      known.add(traceId);
      void follow(traceId, name, (journey) => {
        setLast(journey);
        setJourneys((before) => [...before, journey].slice(-shownCountMax));
        setTimeout(() => setJourneys((before) => before.filter((one) => one !== journey)), journey.hops.length * journey.stepMs + markMs);
      });
    }
  }, [requests]);
  return { journeys, last };
}

async function follow(traceId: string, name: string, show: (journey: Journey) => void): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  await untilSeen();
  const hops = await read<readonly TravelHopView[]>(`/api/requests/${traceId}/hops`).catch(() => []);
  if (hops.length > 0) show({ traceId, name, hops, stepMs: stepOf(hops.length) });
}

/** Marks in a hidden tab would be over before anybody looks. */
async function untilSeen(): Promise<void> {
  if (document.visibilityState === 'visible') return;
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (document.visibilityState !== 'visible') return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
  });
}
