/**
 * Traces through the event log, the same for every adapter. A record's headers name the request that caused it. So a sign-in is one trace, through
 * every log that it passes. While telemetry is on, the written header is that of the publish span, and a handler sees the header of its batch's span.
 * So every record that a handler publishes because of another one (traceOfRecord) continues the trace, and no handler needs to know of spans.
 *
 * A batch holds records of many requests. Where they belong to one trace, the span of the batch is its child. Where they belong to several, the span
 * has no parent among them but a link to each (OpenTelemetry's rule for batches), and the records keep their own headers. Records that no request
 * caused (heartbeats, snapshots) have no trace and make no span.
 */
import { observed, recordHeaders, subjectPattern, type TopicSpec } from '@cloakroom/contracts';
import {
  type Attributes,
  faultsArmed,
  nameOfError,
  observe,
  type Observed,
  parseTraceparent,
  runWithin,
  type Span,
  startSpan,
  type TraceContext,
  tracing,
} from '@cloakroom/platform';
import { publishInTrouble } from './event-log.faults.ts';
import type { LogRecord, OutgoingRecord, Position, RecordBatch, RecordHeaders } from './event-log.ts';

/** The request behind a change. Undefined for a timer or a start, which no request caused. */
export type Cause = { readonly trace: TraceContext; readonly experiment: string | undefined } | undefined;

/** As columns of an outbox hold it; null for none. */
export interface RecordTrace {
  readonly traceparent: string | null;
  readonly experiment: string | null;
}

export const traceOfCause = (cause: Cause): RecordTrace => ({
  traceparent: cause?.trace.traceparent ?? null,
  experiment: cause?.experiment ?? null,
});

/** The trace of a record that causes another one. An invalid traceparent is not passed on (W3C Trace Context 3.2.2.5). */
export function traceOfRecord({ headers }: Pick<LogRecord, 'headers'>): RecordTrace {
  const traceparent = headers[recordHeaders.traceparent]?.toString();
  return {
    traceparent: parseTraceparent(traceparent) === undefined ? null : (traceparent ?? null),
    experiment: headers[recordHeaders.experiment]?.toString() ?? null,
  };
}

/** For log lines about a record. Undefined where no request caused it. */
export function traceIdOfRecord(record: Pick<LogRecord, 'headers'>): string | undefined {
  return parseTraceparent(traceOfRecord(record).traceparent ?? undefined)?.traceId;
}

export function traceHeaders({ traceparent, experiment }: RecordTrace): RecordHeaders {
  return {
    ...(traceparent !== null && { [recordHeaders.traceparent]: Buffer.from(traceparent) }),
    ...(experiment !== null && { [recordHeaders.experiment]: Buffer.from(experiment) }),
  };
}

type Publish = (records: readonly OutgoingRecord[]) => Promise<Position[]>;

const send = (
  topic: TopicSpec,
  records: readonly OutgoingRecord[],
  publish: Publish,
  spans: readonly (Span | undefined)[] = [],
): Promise<Position[]> => (faultsArmed() ? publishInTrouble(topic, records, publish, spans) : publish(records));

/** Publishes with a span for each record that a request caused. The span's context replaces the record's own. */
export async function publishInSpans(topic: TopicSpec, records: readonly OutgoingRecord[], publish: Publish): Promise<Position[]> {
  if (!tracing()) return send(topic, records, publish);
  const spans = records.map((record) => publishSpan(topic, record));
  try {
    const stampedRecords = records.map((record, index) => stamped(record, spans[index]?.trace));
    const positions = await send(topic, stampedRecords, publish, spans);
    spans.forEach((span, index) => span?.set(placeOf(positions[index])));
    return positions;
  } catch (error) {
    for (const span of spans) span?.end(nameOfError(error));
    throw error;
  } finally {
    for (const span of spans) span?.end();
  }
}

function publishSpan({ name: topic }: TopicSpec, { headers = {}, key }: OutgoingRecord): Span | undefined {
  const { traceparent } = traceOfRecord({ headers });
  if (traceparent === null) return undefined;
  const type = headers[recordHeaders.eventType]?.toString();
  const span = startSpan({
    name: `publish ${topic}`,
    kind: 'producer',
    parent: traceparent,
    attributes: { ...destination(topic), ...operation('send', 'publish'), ...(type !== undefined && { 'cloakroom.event.type': type }) },
  });
  if (span !== undefined) observe(span, () => aboutKeys(topic, [key]));
  return span;
}

/**
 * One span for the work on a batch; none where no request caused any of its records.
 * @param work is handed the batch with `trace`, and where it is of one trace, with records that carry the span
 */
export async function inBatchSpan<Result>(
  name: string,
  batch: RecordBatch,
  attributes: Attributes,
  work: (batch: RecordBatch) => Promise<Result>,
): Promise<Result> {
  const parents = tracing() ? parentsOf(batch) : [];
  if (parents.length === 0) return work(batch);
  const alone = parents.length === 1;
  const span = startSpan({
    name,
    kind: 'consumer',
    parent: batch.trace?.traceparent ?? (alone ? parents[0] : undefined),
    links: batch.trace === undefined && !alone ? parents : [],
    attributes: { ...destination(batch.topic), ...batchAttributes(batch), ...attributes },
  });
  if (span === undefined) return work(batch);
  observe(span, () =>
    aboutKeys(
      batch.topic,
      batch.records.map(({ key }) => key),
    ),
  );
  const records = alone ? batch.records.map((record) => stamped(record, span.trace)) : batch.records;
  try {
    return await runWithin(span, () => work({ ...batch, records, trace: span.trace }));
  } catch (error) {
    span.end(nameOfError(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Different traceparents, in the order in which they came. */
function parentsOf({ records }: RecordBatch): string[] {
  return [...new Set(records.flatMap((record) => traceOfRecord(record).traceparent ?? []))];
}

/** Stamps only records that have the header already: a record that no request caused stays without a trace. */
function stamped<Record extends Pick<OutgoingRecord, 'headers'>>(record: Record, trace: TraceContext | undefined): Record {
  if (trace === undefined || record.headers?.[recordHeaders.traceparent] === undefined) return record;
  return { ...record, headers: { ...record.headers, [recordHeaders.traceparent]: Buffer.from(trace.traceparent) } };
}

const destination = (topic: string): Attributes => ({ 'messaging.system': 'kafka', 'messaging.destination.name': topic });

/** @param type of the conventions; @param name ours */
export const operation = (type: 'send' | 'process', name: string): Attributes => ({
  'messaging.operation.type': type,
  'messaging.operation.name': name,
});

/** A record of a cart is filed under the cart's id, and most others under their person's. A batch about several says nothing of them. */
function aboutKeys(topic: string, keys: readonly string[]): Observed {
  const [key, ...others] = new Set(keys);
  if (key === undefined || others.length > 0 || !subjectPattern.test(key)) return {};
  return { [topic.startsWith('cart.') ? observed.cartId : observed.subject]: key };
}

const placeOf = (position: Position | undefined): Attributes =>
  position === undefined
    ? {}
    : { 'messaging.destination.partition.id': String(position.partition), 'messaging.kafka.offset': Number(position.offset) };

const batchAttributes = ({ partition, records }: RecordBatch): Attributes => ({
  ...placeOf({ topic: '', partition, offset: records[0]!.offset }),
  'messaging.batch.message_count': records.length,
});
