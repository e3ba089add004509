/**
 * Builds the view anew from the log while the old one serves, and switches partition by partition as each catches up. For when the rules or the
 * record's format have changed, or the view is doubted: a wipe would serve stale carts for as long as the rebuild takes.
 *
 * It reads with the projector's own steps, but forwards no guest and writes no snapshot: the serving projector has, up to the very record at which
 * the pointer moves (cart.view.replay.ts). Killed at any point it has changed nothing that is read, or whole partitions; the next run goes on.
 */
import { randomUUID } from 'node:crypto';
import { RetryLater, type BatchControl, type RecordBatch, type TopicPartition } from '@cloakroom/event-log';
import { spaceAfter } from '../projection/cart.view.keys.ts';
import { ViewUnavailable, type CartView } from '../projection/cart.view.ts';
import type { Spaces } from '../projection/cart.view.replay.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { projectBatch } from '../projection/project-batch.ts';
import { settlePartitions } from '../projection/rebuild.ts';

/** No partition came closer for so long: log or view are away, or nobody projects the serving view. */
const silenceMaxMs = 30_000;
/** While the view does not answer. */
const retryDelayMs = 100;
/** Between looks whether a partition that nobody writes to is level. */
const lookIntervalMs = 20;

export interface ReplayParts extends Omit<CartParts, 'view'> {
  readonly spaces: Spaces;
  /** The view of a space that does not serve. */
  readonly open: (space: string) => CartView;
  readonly tell?: (line: string) => void;
}

export interface Replayed {
  readonly from: readonly string[];
  readonly to: string;
  readonly partitions: number;
  readonly records: number;
}

/** @throws when it cannot go on; what was switched by then stays so */
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
    // What an earlier run left was made by a build that may have been another.
    for (const partition of open.keys()) await untilItAnswers(() => view.reset(partition));
    const records = await fill({ ...parts, view, replays: true }, open, to);
    await untilItAnswers(() => spaces.dropBefore(to));
    return { from, to, partitions: serving.size, records };
  } finally {
    await view.close();
  }
}

/** The view's connection is just being made, or was lost for a moment. */
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

/** One beyond the newest; the newest itself where an earlier run was ended before all partitions were there. */
function newSpace(serving: ReadonlySet<string>): string {
  const [newest = ''] = [...serving].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return serving.size > 1 ? newest : spaceAfter(newest);
}

/** @param open the partitions to be switched, and the space that serves each; emptied */
async function fill(parts: ReplayParts & CartParts, open: Map<number, string>, to: string): Promise<number> {
  const { eventLog, topics, clock } = parts;
  const { clusterId } = await eventLog.describe();
  const group = `cart-replay-${randomUUID()}`;
  const left = new Map(open);
  let records = 0;
  let progressMs = clock.monotonicMs();
  let trouble: unknown;
  const subscription = await eventLog.subscribe({
    group,
    topics: [topics.events],
    from: 'earliest',
    onAssigned: (assigned, control) => seekAll(parts, clusterId, group, { assigned, control, left }),
    handler: async (batch, control) => {
      try {
        if (!left.has(batch.partition)) return;
        if (await take(parts, clusterId, batch, control)) {
          records += batch.records.length;
          progressMs = clock.monotonicMs();
        }
      } catch (error) {
        trouble = error;
        // No dead letter from here: the projector that serves has buried what is to be buried.
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
  const bounds = await eventLog.bounds(topics.events);
  const mine = assigned.map(({ partition }) => partition).filter((partition) => left.has(partition));
  const settled = await settlePartitions(parts, logId, group, mine);
  for (const { topic, partition } of assigned) {
    const next = settled.get(partition) ?? (left.has(partition) ? undefined : bounds.get(partition)?.next);
    if (next === undefined) throw new RetryLater(`partition ${partition} could not be settled`);
    control.seek(topic, partition, next);
  }
}

/** @returns whether the batch was applied */
async function take(parts: CartParts, logId: string, batch: RecordBatch, control: BatchControl): Promise<boolean> {
  const projected = await projectBatch(parts, logId, batch);
  if (projected.outcome === 'applied') return true;
  const place = (await parts.view.places([batch.partition])).get(batch.partition);
  // Switched at this very moment: the serving projector has it.
  control.seek(batch.topic, batch.partition, place?.next ?? batch.records[0]!.offset);
  return false;
}
