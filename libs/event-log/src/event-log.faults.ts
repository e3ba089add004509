/** Faults at the log: publishes that are slow or fail, and readers that are held back. They are everybody's, since records share their partition. */
import type { TopicSpec } from '@cloakroom/contracts';
import { type FaultPoint, faultsArmed, type Span, troubleAt, undergo } from '@cloakroom/platform';
import { type BatchControl, EventLogError, type OutgoingRecord, type Position, type RecordBatch } from './event-log.ts';

/** How soon a reader goes on after its switch is off. Far below a member's session time-out. */
const heldRetryMs = 250;

type Publish = (records: readonly OutgoingRecord[]) => Promise<Position[]>;

/** Asked only while a switch is on. @param spans those of the records, which are told the wait */
export async function publishInTrouble(
  topic: TopicSpec,
  records: readonly OutgoingRecord[],
  publish: Publish,
  spans: readonly (Span | undefined)[] = [],
): Promise<Position[]> {
  const failure = () => new EventLogError('retriable', 'a fault is switched on: nothing was written', { outcomeUnknown: false });
  await undergo(await troubleAt('publish', topic.name, undefined), failure, spans);
  return publish(records);
}

/**
 * Holds a reader back: the batch is read again, later. Ask before anything is done with the batch.
 * @param at the process, as a switch names it
 * @returns whether the batch must be left alone
 */
export async function heldBack(point: FaultPoint, at: string, batch: RecordBatch, control: BatchControl): Promise<boolean> {
  if (!faultsArmed() || (await troubleAt(point, at, undefined))?.holds !== true) return false;
  await new Promise((resolve) => setTimeout(resolve, heldRetryMs));
  control.seek(batch.topic, batch.partition, batch.records[0]!.offset);
  return true;
}
