/**
 * Builds the view anew from the log while the old one serves, and switches each partition when it has caught up. An operator uses it after
 * a change of the rules or of the record's format, or when the view may be wrong. A wipe instead would serve stale carts during the
 * rebuild.
 *
 * A replay uses the projector's own steps, but forwards no guest and writes no snapshot. The serving projector has done both, up to the
 * record at which the pointer moves (cart.view.replay.ts). A replay that is killed has switched whole partitions or none. The next run
 * continues.
 *
 * In a shop of several regions the copies of the other logs are read too, in turns, as the projector does. A partition is switched where both spaces
 * stand at the same record of each log.
 */
import { randomUUID } from 'node:crypto';
import { RetryLater, type BatchControl, type RecordBatch, type TopicPartition } from '@cloakroom/event-log';
import { spaceAfter } from '../projection/cart.view.keys.ts';
import { ViewUnavailable, type CartView } from '../projection/cart.view.ts';
import type { Spaces } from '../projection/cart.view.replay.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { projectBatch } from '../projection/project-batch.ts';
import { settlePartitions } from '../projection/rebuild.ts';
import { Turns } from '../projection/turns.ts';
import { copiedFrom, logsOf, nextIn } from '../projection/two-logs.ts';

/** Without progress for this long, the log or the view counts as down, or no process projects the serving view. */
const silenceMaxMs = 30_000;
/** Between attempts while the view does not answer. */
const retryDelayMs = 100;
/** Between attempts to switch. A partition without writes gets no batch that could trigger one. */
const lookIntervalMs = 20;

export interface ReplayParts extends Omit<CartParts, 'view'> {
  readonly spaces: Spaces;
  /** Opens the view of a space that does not serve. */
  readonly open: (space: string) => CartView;
  readonly tell?: (line: string) => void;
}

export interface Replayed {
  readonly from: readonly string[];
  readonly to: string;
  readonly partitions: number;
  readonly records: number;
}

/** @throws when it cannot continue; partitions that were switched by then stay so */
export async function replay(parts: ReplayParts): Promise<Replayed> {
  const { spaces, topics, tell = () => undefined } = parts;
  const all = Array.from({ length: topics.events.partitions }, (_, partition) => partition);
  const serving = await untilItAnswers(() => spaces.serving(all));
  const to = newSpace(new Set(serving.values()));
  const open = new Map([...serving].filter(([, space]) => space !== to));
  const from = [...new Set(open.values())];
  tell(`replaying ${open.size} of ${all.length} partitions from ${from.join(', ')} into ${to}`);
  const view = parts.open(to);
  try {
    // Another build may have made what an earlier run left.
    for (const partition of open.keys()) await untilItAnswers(() => view.reset(partition));
    const records = await fill({ ...parts, view, replays: true }, open, to);
    await untilItAnswers(() => spaces.dropBefore(to));
    return { from, to, partitions: serving.size, records };
  } finally {
    await view.close();
  }
}

/** Repeats a call while the view's connection is being made, or was lost for a moment. */
async function untilItAnswers<T>(ask: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += retryDelayMs) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ViewUnavailable) || waitedMs >= silenceMaxMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
  }
}

/** The space after the newest, or the newest itself when an earlier run ended before it had switched all partitions. */
function newSpace(serving: ReadonlySet<string>): string {
  const [newest = ''] = [...serving].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return serving.size > 1 ? newest : spaceAfter(newest);
}

/** @param open the partitions to be switched, and the space that serves each */
async function fill(parts: ReplayParts & CartParts, open: Map<number, string>, to: string): Promise<number> {
  const { eventLog, topics, clock } = parts;
  const { clusterId } = await eventLog.describe();
  const group = `cart-replay-${randomUUID()}`;
  const left = new Map(open);
  const turns = new Turns();
  let records = 0;
  let progressMs = clock.monotonicMs();
  let trouble: unknown;
  const subscription = await eventLog.subscribe({
    group,
    topics: logsOf(topics),
    from: 'earliest',
    onAssigned: (assigned, control) => seekAll(parts, clusterId, group, { assigned, control, left }),
    handler: async (batch, control) => {
      try {
        if (!left.has(batch.partition)) return;
        if (await turns.take(batch.partition, () => take(parts, clusterId, batch, control))) {
          records += batch.records.length;
          progressMs = clock.monotonicMs();
        }
      } catch (error) {
        trouble = error;
        // A replay makes no dead letters: the serving projector has already written unreadable records to the dead-letter topic.
        throw new RetryLater('the replay cannot go on', { cause: error });
      }
    },
  });
  try {
    while (left.size > 0) {
      for (const [partition, from] of left) {
        if (!(await untilItAnswers(() => parts.spaces.switchOver(partition, from, to)))) continue;
        left.delete(partition);
        progressMs = clock.monotonicMs();
        parts.tell?.(`partition ${partition} is served from ${to}`);
      }
      if (clock.monotonicMs() - progressMs > silenceMaxMs)
        throw new Error(`the replay cannot go on: partitions ${[...left.keys()].join(', ')} do not become level`, { cause: trouble });
      await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
    }
  } finally {
    await subscription.stop();
  }
  return records;
}

async function seekAll(
  parts: CartParts,
  logId: string,
  group: string,
  { assigned, control, left }: { assigned: readonly TopicPartition[]; control: BatchControl; left: ReadonlyMap<number, string> },
): Promise<void> {
  const { topics, eventLog } = parts;
  const bounds = new Map(await Promise.all(logsOf(topics).map(async (log) => [log.name, await eventLog.bounds(log)] as const)));
  const mine = [...new Set(assigned.map(({ partition }) => partition))].filter((partition) => left.has(partition));
  const settled = await settlePartitions(parts, logId, group, mine);
  for (const { topic, partition } of assigned) {
    const place = settled.get(partition);
    const end = left.has(partition) ? undefined : bounds.get(topic)?.get(partition)?.next;
    const next = place === undefined ? end : nextIn(place, copiedFrom(topics, topic));
    if (next === undefined) throw new RetryLater(`partition ${partition} could not be settled`);
    control.seek(topic, partition, next);
  }
}

/** @returns whether the batch was applied */
async function take(parts: CartParts, logId: string, batch: RecordBatch, control: BatchControl): Promise<boolean> {
  const projected = await projectBatch(parts, logId, batch);
  if (projected.outcome === 'applied') return true;
  const place = (await parts.view.places([batch.partition])).get(batch.partition);
  // The partition was switched at this moment, and the serving projector has the batch.
  const next = place && nextIn(place, copiedFrom(parts.topics, batch.topic));
  control.seek(batch.topic, batch.partition, next ?? batch.records[0]!.offset);
  return false;
}
