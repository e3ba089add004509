/**
 * How far a mirror is behind. MirrorMaker notes in a topic of its target how far it has copied each partition of the source, once a second. The ends of
 * the source's partitions minus those notes are what the copy lacks. Offsets of the copy say nothing: MirrorMaker changes them.
 */
import { randomUUID } from 'node:crypto';
import type { TopicSpec } from '@cloakroom/contracts';
import type { EventLog, LogRecord } from '@cloakroom/event-log';
import type { MirrorLag } from './ocean.types.ts';

/** The notes of MirrorMaker are as old. */
const askIntervalMs = 1_000;
/** A quarter of an hour of a mirror that stands still. Older moments than the oldest are not needed. */
const sampleCountMax = 900;

/** `cart.events/7` and the offset of its next record. */
export type Ends = ReadonlyMap<string, bigint>;

export const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Kafka Connect's JSON: `["MirrorSourceConnector",{"cluster":"eu","partition":7,"topic":"cart.events"}]` and `{"offset":41}`. */
export function readNote({ key, value }: Pick<LogRecord, 'key' | 'value'>): { place: string; copiedTo: bigint } | undefined {
  try {
    const [, source] = JSON.parse(key) as [string, { topic?: unknown; partition?: unknown }];
    const { offset } = JSON.parse(String(value)) as { offset?: unknown };
    if (typeof source.topic !== 'string' || typeof source.partition !== 'number' || typeof offset !== 'number') return undefined;
    return { place: placeOf(source.topic, source.partition), copiedTo: BigInt(offset) + 1n };
  } catch {
    // A note of another connector, or the tombstone of one.
    return undefined;
  }
}

/** Remembers where the log ended when, for as long as the copy has not got there. */
export class LagHistory {
  readonly #samples: { readonly atMs: number; readonly ends: Ends }[] = [];

  /** @param firsts the first offset of each partition: records before it were deleted, and are no lag */
  measure(atMs: number, ends: Ends, firsts: Ends, copiedTo: Ends): Pick<MirrorLag, 'records' | 'ms'> {
    const reached = (place: string): bigint => max(copiedTo.get(place) ?? 0n, firsts.get(place) ?? 0n);
    const lacks = (one: Ends): bigint => [...one].reduce((sum, [place, end]) => sum + max(end - reached(place), 0n), 0n);
    this.#samples.push({ atMs, ends });
    // The oldest one tells the age, so the second oldest goes.
    if (this.#samples.length > sampleCountMax) this.#samples.splice(1, 1);
    while (this.#samples.length > 0 && lacks(this.#samples[0]!.ends) === 0n) this.#samples.shift();
    return { records: Number(lacks(ends)), ms: this.#samples.length === 0 ? 0 : atMs - this.#samples[0]!.atMs };
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export interface MirrorWatch {
  lag(): MirrorLag | undefined;
  stop(): void;
}

/** MirrorMaker keeps it in the target. */
export const notesOf = (origin: string): TopicSpec => ({
  name: `mm2-offsets.${origin}.internal`,
  partitions: 1,
  cleanup: 'compact',
  retentionMs: -1,
});

export interface Watched {
  /** The region that is copied. */
  readonly origin: string;
  readonly topics: readonly TopicSpec[];
  /** The log of that region. */
  readonly from: EventLog;
  /** The log that holds the copy. */
  readonly target: EventLog;
  readonly failed: (error: unknown) => void;
}

export function watchMirror({ origin, topics, from, target, failed }: Watched): MirrorWatch {
  const notes = notesOf(origin);
  const history = new LagHistory();
  const copiedTo = new Map<string, bigint>();
  let last: { readonly lag: Pick<MirrorLag, 'records' | 'ms'>; readonly atMs: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isReading = false;
  let isFailing = true;
  let stopped = false;

  const read = async (): Promise<void> => {
    // The mirror makes the topic. kafkajs does not subscribe to one that is missing.
    await target.bounds(notes);
    isReading = true;
    await target.subscribe({
      group: `ocean-${randomUUID()}`,
      topics: [notes],
      from: 'earliest',
      handler: ({ records }) => {
        for (const note of records.flatMap((record) => readNote(record) ?? [])) copiedTo.set(note.place, note.copiedTo);
        return Promise.resolve();
      },
    });
  };
  const ask = async (): Promise<void> => {
    try {
      if (!isReading) await read();
      const bounds = await Promise.all(topics.map(async (topic) => ({ topic, partitions: await from.bounds(topic) })));
      const of = (which: 'first' | 'next'): Ends =>
        new Map(
          bounds.flatMap(({ topic, partitions }) => [...partitions].map(([number, one]) => [placeOf(topic.name, number), one[which]])),
        );
      const atMs = performance.now();
      last = { lag: history.measure(atMs, of('next'), of('first'), copiedTo), atMs };
      isFailing = false;
    } catch (error) {
      // While the shop starts, its topics are missing. One word for a row of failures is enough.
      if (!stopped && !isFailing) failed(error);
      isFailing = true;
    }
    if (!stopped) timer = setTimeout(() => void ask(), askIntervalMs);
  };
  void ask();
  return {
    lag: () => last && { ...last.lag, ms: Math.round(last.lag.ms), askedAgoMs: Math.round(performance.now() - last.atMs) },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
